#include "runtime/live/port_queue.h"

#include "runtime/live/command_check.h"

namespace parley {
namespace {

std::vector<Result> like_results(std::uint32_t count, Outcome outcome, RefusedBecause reason) {
  Result result;
  result.outcome = outcome;
  result.reason = static_cast<std::uint8_t>(reason);
  return std::vector<Result>(count, result);
}

std::string_view refusal_text(RefusedBecause reason) {
  return reason == RefusedBecause::stopping ? "the node stops" : "too many requests are waiting";
}

}  // namespace

void PortQueue::submit(std::vector<std::byte> body, ResultsCallback done) {
  const CheckedCommands checked = check_commands(application_, body);
  if (!checked.error.empty()) {
    // The count covers the command at fault, if it was a single command that was.
    return done(like_results(checked.count + 1, Outcome::refused, RefusedBecause::invalid));
  }
  Request request = Submit{std::move(body), checked.count, std::move(done)};
  if (const RefusedBecause reason = push(request); reason != RefusedBecause::none) {
    refuse(request, reason);
  }
}

void PortQueue::query(std::vector<std::byte> query, ReadMode mode, std::vector<Seen> seen,
                      QueryCallback done) {
  Request request = Query{std::move(query), mode, std::move(seen), std::move(done)};
  if (const RefusedBecause reason = push(request); reason != RefusedBecause::none) {
    refuse(request, reason);
  }
}

void PortQueue::freeze(FreezeCallback done) {
  Request request = Freeze{std::move(done)};
  if (const RefusedBecause reason = push(request); reason != RefusedBecause::none) {
    refuse(request, reason);
  }
}

void PortQueue::report(ReportCallback done) {
  Request request = Report{std::move(done)};
  if (const RefusedBecause reason = push(request); reason != RefusedBecause::none) {
    refuse(request, reason);
  }
}

void PortQueue::change_members(const MemberChange& change, ChangeCallback done) {
  Request request = Change{change, std::move(done)};
  if (const RefusedBecause reason = push(request); reason != RefusedBecause::none) {
    refuse(request, reason);
  }
}

RefusedBecause PortQueue::push(Request& request) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return RefusedBecause::stopping;
    if (waiting_.size() >= capacity_) return RefusedBecause::overloaded;
    waiting_.push_back(std::move(request));
  }
  bell_.ring();
  return RefusedBecause::none;
}

// A frozen store or report that cannot be had is an empty one: its store has no keys, its node is
// no node.
void PortQueue::refuse(Request& request, RefusedBecause reason) const {
  if (auto* submit = std::get_if<Submit>(&request)) {
    submit->done(like_results(submit->count, Outcome::refused, reason));
  } else if (auto* query = std::get_if<Query>(&request)) {
    query->done(std::string(refusal_text(reason)), reason, {});
  } else if (auto* freeze = std::get_if<Freeze>(&request)) {
    freeze->done({}, {});
  } else if (auto* report = std::get_if<Report>(&request)) {
    report->done({});
  } else if (auto* change = std::get_if<Change>(&request)) {
    change->done(ControlReply::Outcome::refused, std::string(refusal_text(reason)));
  }
}

void PortQueue::take(Driver& driver, const std::function<NodeReport()>& report) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return;
    taken_.swap(waiting_);
  }
  for (Request& request : taken_) {
    if (auto* submit = std::get_if<Submit>(&request)) {
      hand_over(*submit, driver);
    } else if (auto* query = std::get_if<Query>(&request)) {
      hand_over(*query, driver);
    } else if (auto* freeze = std::get_if<Freeze>(&request)) {
      freeze->done(driver.freeze(), report());
    } else if (auto* asked = std::get_if<Report>(&request)) {
      asked->done(report());
    } else if (auto* change = std::get_if<Change>(&request)) {
      hand_over(*change, driver);
    }
  }
  taken_.clear();
}

void PortQueue::hand_over(Submit& submit, Driver& driver) {
  const std::uint64_t number = ++last_request_;
  if (driver.submit({kConnection, number}, submit.body, submit.count)) {
    submits_.emplace(number, PendingSubmit{submit.count, std::move(submit.done)});
  } else {
    submit.done(like_results(submit.count, Outcome::refused, RefusedBecause::overloaded));
  }
}

void PortQueue::hand_over(Query& query, Driver& driver) {
  const std::uint64_t number = ++last_request_;
  if (driver.query({kConnection, number}, query.mode, query.query, std::move(query.seen))) {
    queries_.emplace(number, std::move(query.done));
  } else {
    query.done(std::string(refusal_text(RefusedBecause::overloaded)), RefusedBecause::overloaded,
               {});
  }
}

void PortQueue::hand_over(Change& change, Driver& driver) {
  if (changes_.size() >= kMaxChanges) {
    return change.done(ControlReply::Outcome::refused, "too many changes are under way");
  }
  const std::uint64_t number = ++last_request_;
  changes_.emplace(number, std::move(change.done));
  driver.change_members(number, change.change);
}

void PortQueue::settle(const SettledSubmit& settled, std::span<const Result> results) {
  const auto found = submits_.extract(settled.tag.request);
  if (!found.empty()) found.mapped().done(results.subspan(settled.first, settled.count));
}

void PortQueue::settle(const SettledQuery& settled, Bytes answers) {
  const auto found = queries_.extract(settled.tag.request);
  if (found.empty()) return;
  std::string error = settled.error;
  if (error.empty() && settled.reason == RefusedBecause::timed_out) error = "no answer in time";
  if (error.empty() && settled.reason == RefusedBecause::no_leader) error = "no leader is known";
  if (error.empty() && settled.reason != RefusedBecause::none) error = refusal_text(settled.reason);
  found.mapped()(error, settled.reason, answers.subspan(settled.first, settled.size));
}

void PortQueue::settle(const ControlReply& reply) {
  const auto found = changes_.extract(reply.id);
  if (!found.empty()) found.mapped()(reply.outcome, reply.reason);
}

void PortQueue::close() {
  std::vector<Request> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left.swap(waiting_);
  }
  for (Request& request : left) refuse(request, RefusedBecause::stopping);
  for (auto& [number, pending] : submits_) {
    pending.done(like_results(pending.count, Outcome::unknown, RefusedBecause::stopping));
  }
  submits_.clear();
  for (auto& [number, done] : queries_) {
    done(std::string(refusal_text(RefusedBecause::stopping)), RefusedBecause::stopping, {});
  }
  queries_.clear();
  for (auto& [number, done] : changes_) {
    done(ControlReply::Outcome::unknown, std::string(refusal_text(RefusedBecause::stopping)));
  }
  changes_.clear();
}

}  // namespace parley
