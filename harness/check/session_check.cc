// Read-your-writes and monotonic reads (Terry et al., "Session Guarantees for Weakly Consistent
// Replicated Data", PDIS 1994, sections 3.1 and 3.2), per cell.
#include <algorithm>
#include <tuple>

#include "harness/check/checks.h"

namespace parley::history {
namespace {

bool same_session(const Record& a, const Record& b) {
  return a.id.session == b.id.session && a.node == b.node && a.cell == b.cell;
}

// One client's operations of one cell at one node, in the order of invocation.
void check_group(CheckContext& context, std::span<const RecordIndex> group,
                 std::vector<RecordIndex>& by_return) {
  const RecordTable& table = context.table;
  by_return.assign(group.begin(), group.end());
  std::sort(by_return.begin(), by_return.end(),
            [&](RecordIndex a, RecordIndex b) { return table[a].return_ns < table[b].return_ns; });
  std::size_t next = 0;
  RecordIndex written = kNoRecord;
  RecordIndex read = kNoRecord;
  for (const RecordIndex i : group) {
    const Record& record = table[i];
    // One client is one clock: no error to allow for.
    for (; next < by_return.size() && table[by_return[next]].return_ns < record.invoke_ns; ++next) {
      RecordIndex& highest = table[by_return[next]].is_write() ? written : read;
      if (highest == kNoRecord || table[by_return[next]].version > table[highest].version) {
        highest = by_return[next];
      }
    }
    if (record.is_write()) continue;
    const auto missed = [&](RecordIndex earlier, Anomaly anomaly) {
      if (earlier == kNoRecord || table[earlier].version <= record.version) return false;
      context.findings.add(anomaly, [&] {
        return table.describe(i) + " came after the same client's " + table.describe(earlier);
      });
      return true;
    };
    if (!missed(written, Anomaly::read_your_writes_violation)) {
      missed(read, Anomaly::monotonic_read_violation);
    }
  }
}

}  // namespace

void check_sessions(CheckContext& context) {
  const RecordTable& table = context.table;
  std::vector<RecordIndex> order;
  for (RecordIndex i = 0; i < table.size(); ++i) {
    const Record& record = table[i];
    if (record.is_ok_write() || (record.is_ok_read() && !record.is_final())) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](RecordIndex left, RecordIndex right) {
    const Record& a = table[left];
    const Record& b = table[right];
    return std::tie(a.id.session, a.node, a.cell, left) <
           std::tie(b.id.session, b.node, b.cell, right);
  });
  std::vector<RecordIndex> by_return;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && same_session(table[order[begin]], table[order[end]])) ++end;
    check_group(context, std::span(order).subspan(begin, end - begin), by_return);
    begin = end;
  }
}

}  // namespace parley::history
