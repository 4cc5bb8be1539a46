// The way from a gateway's threads into a node's loop: NodePort with a bounded queue.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <variant>
#include <vector>

#include "algorithms/contract/application.h"
#include "algorithms/contract/node_port.h"
#include "runtime/driver.h"
#include "runtime/live/waiter.h"

namespace parley {

// The NodePort functions may be called from any thread, the others only by the loop's.
class PortQueue final : public NodePort {
 public:
  // Requests of this port carry this as RequestTag::connection, which no client's has.
  static constexpr std::uint64_t kConnection = ~std::uint64_t{0};
  // Changes of members that are under way at most; they go one after the other.
  static constexpr std::size_t kMaxChanges = 16;

  // At most `capacity` requests wait. `bell` is rung when one comes in. `application` and `bell`
  // must outlive the queue.
  PortQueue(const Application& application, std::size_t capacity, Bell& bell)
      : application_(application), capacity_(capacity), bell_(bell) {}

  void submit(std::vector<std::byte> body, ResultsCallback done) override;
  void query(std::vector<std::byte> query, ReadMode mode, std::vector<Seen> seen,
             QueryCallback done) override;
  void freeze(FreezeCallback done) override;
  void report(ReportCallback done) override;
  void change_members(const MemberChange& change, ChangeCallback done) override;

  // Hands everything that waits to `driver`; `report` makes the node's own.
  void take(Driver& driver, const std::function<NodeReport()>& report);
  // Answers a request of this port.
  void settle(const SettledSubmit& settled, std::span<const Result> results);
  void settle(const SettledQuery& settled, Bytes answers);
  // Replies to others than this port's wishes, whose ids are small, do nothing.
  void settle(const ControlReply& reply);
  // The node stops: what waits is refused, what is under way is unknown, and what comes later is
  // refused. Every callback has been called then.
  void close();

 private:
  struct Submit {
    std::vector<std::byte> body;
    std::uint32_t count = 0;
    ResultsCallback done;
  };
  struct Query {
    std::vector<std::byte> query;
    ReadMode mode{};
    std::vector<Seen> seen;
    QueryCallback done;
  };
  struct Freeze {
    FreezeCallback done;
  };
  struct Report {
    ReportCallback done;
  };
  struct Change {
    MemberChange change;
    ChangeCallback done;
  };
  using Request = std::variant<Submit, Query, Freeze, Report, Change>;
  struct PendingSubmit {
    std::uint32_t count = 0;
    ResultsCallback done;
  };

  // Null when it was queued, else why not.
  RefusedBecause push(Request& request);
  void refuse(Request& request, RefusedBecause reason) const;
  void hand_over(Submit& submit, Driver& driver);
  void hand_over(Query& query, Driver& driver);
  void hand_over(Change& change, Driver& driver);

  const Application& application_;
  const std::size_t capacity_;
  Bell& bell_;

  std::mutex mutex_;
  std::vector<Request> waiting_;  // guarded
  bool closed_ = false;           // guarded

  std::vector<Request> taken_;
  std::uint64_t last_request_ = 0;
  std::unordered_map<std::uint64_t, PendingSubmit> submits_;
  std::unordered_map<std::uint64_t, QueryCallback> queries_;
  std::unordered_map<std::uint64_t, ChangeCallback> changes_;
};

}  // namespace parley
