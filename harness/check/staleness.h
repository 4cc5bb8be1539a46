// How stale reads were, in milliseconds and in versions, and what a model says of it.
//
// Measured: a read is stale by so many milliseconds as have passed, at its invocation, since the
// earliest acknowledgement of a higher stamp of its cell, and by so many versions as there were
// such stamps; by none if there was none.
//
// Predicted: Bailis, Venkataraman, Franklin, Hellerstein and Stoica, "Probabilistically Bounded
// Staleness for Practical Partial Quorums", VLDB 2012: the probability that a read which begins t
// after a write was acknowledged sees this write or a newer one (section 3.3, t-visibility), by the
// WARS model (section 5.1) and Monte Carlo. A read asks one replica out of all, each alike. It sees
// the write if W, from the replica that answers the writer to the one that is read, is not longer
// than A + t + R: A from there to the writer, R from the reader to its replica. The legs are drawn
// independently of each other from what the run shows:
//   W  between the times from which on the two held the write or a newer one of its cell, of a
//      sample of the acknowledged writes; nothing if they are the same; negative where another
//      replica was first, which an order allows; endless if it never came to that
//   A  from the time at which the origin applied the write to its acknowledgement
//   R  half of a local read's time, which is to say that both ways take as long
// So the prediction lacks what makes delays depend on each other: bursts, partitions, a slow node.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "algorithms/contract/random.h"
#include "harness/check/journal.h"
#include "harness/check/records.h"

namespace parley::history {

// The distribution over all reads: in bins a twentieth of a decade wide, and by versions, which are
// rounded up to two digits above 100.
class Staleness {
 public:
  void add_fresh(std::uint64_t reads) { reads_ += reads; }
  // One of the reads that were added was stale: `ms` above 0, `versions` at least 1.
  void turn_stale(double ms, std::uint64_t versions);

  [[nodiscard]] std::uint64_t reads() const { return reads_; }
  // What that share of the reads did not exceed, at the upper edge of its bin.
  [[nodiscard]] double ms_at(double share) const;
  [[nodiscard]] std::uint64_t versions_at(double share) const;
  // `unit,at_most,reads,share`: for each bin that is not empty how many reads were at most so stale
  // ("ms" or "versions"), and what share of all. Only the header without reads.
  [[nodiscard]] std::string csv() const;

 private:
  static constexpr int kPerDecade = 20;
  static constexpr double kLeastMs = 0.001;
  static constexpr std::size_t kBins = 9 * kPerDecade;
  [[nodiscard]] std::uint64_t fresh() const { return reads_ - stale_; }

  std::uint64_t reads_ = 0;
  std::uint64_t stale_ = 0;
  std::array<std::uint64_t, kBins> by_ms_{};
  std::map<std::uint64_t, std::uint64_t> by_versions_;
};

// The legs of the WARS model in ms, as samples.
struct WarsLegs {
  std::size_t replicas = 1;  // that reads are spread over
  std::vector<double> write;
  std::vector<double> ack;
  std::vector<double> read;

  // Whether there is something to draw from.
  [[nodiscard]] bool complete() const {
    return (replicas == 1 || !write.empty()) && !ack.empty() && !read.empty();
  }
};

// The prediction. `legs` are complete; the same seed gives the same curve.
class Visibility {
 public:
  Visibility(const WarsLegs& legs, std::uint64_t seed);
  // The probability that a read `t_ms` after the acknowledgement sees the write or a newer one.
  [[nodiscard]] double within(double t_ms) const;

 private:
  std::vector<double> needed_ms_;  // t from which on each drawn read sees it, in order
};

// Reads by the time since the acknowledgement of the highest stamp acknowledged before them.
struct VisibilityBin {
  double low_ms = 0;
  double high_ms = 0;
  std::uint64_t reads = 0;
  std::uint64_t seen = 0;
  double predicted = 0;  // mean over these reads; without reads in the middle of the bin
};

class VisibilityCurve {
 public:
  explicit VisibilityCurve(std::optional<Visibility> predicted = {});
  void add(double t_ms, bool seen);
  [[nodiscard]] std::vector<VisibilityBin> bins() const;
  [[nodiscard]] std::uint64_t reads() const { return reads_; }

 private:
  std::uint64_t reads_ = 0;
  std::optional<Visibility> predicted_;
  std::vector<VisibilityBin> bins_;
};

// `t_ms_low,t_ms_high,reads,seen,predicted`; the last empty without a prediction.
std::string visibility_csv(std::span<const VisibilityBin> bins, bool predicted);

// Follows a sample of the acknowledged writes through the journals.
class Propagation {
 public:
  static constexpr std::size_t kSample = 20'000;

  // Draws the sample. `table` is indexed and must outlive this.
  Propagation(const RecordTable& table, std::uint64_t seed);
  // The journals that follow are of this node; at most 64 of them.
  void begin(std::uint32_t node);
  // Of a cell the stamps rise, but after restored().
  void applied(std::uint32_t cell, Stamp stamp, std::int64_t t_ns);
  // The state came from elsewhere, so that what has no line may have been applied nevertheless.
  void restored() { journals_.back().restored = true; }
  // `live`: the nodes that are read, in order.
  [[nodiscard]] WarsLegs legs(std::span<const std::uint32_t> live) const;

 private:
  struct Journal {
    std::uint32_t node = 0;
    bool restored = false;
    std::vector<std::int64_t> t_ns;  // by place in the sample; kNoTime: never held
  };
  struct Range {             // of the sample: the writes of one cell
    std::uint32_t next = 0;  // that the replica does not hold yet
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  void add_write(const Record& write, std::size_t place, std::span<const std::uint32_t> live,
                 WarsLegs& legs) const;

  const RecordTable& table_;
  std::vector<RecordIndex> sample_;  // by cell, and by stamp within a cell
  std::unordered_map<std::uint32_t, Range> cells_;
  std::vector<double> read_legs_ms_;  // of a sample of the local reads
  std::vector<Journal> journals_;
};

}  // namespace parley::history
