// The protocol trace of a live node, as a file that a thread of its own writes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "runtime/live/line_file.h"
#include "runtime/protocol_trace.h"

namespace parley {

// Promises: `take` waits for no disk. Lines that it has taken are in the file once `drain`
// returns, unless writing failed; of a killed process the last ones may be missing. A file that
// cannot be written to never disturbs the node: the log and `error` tell of it, and nothing more is
// taken.
class TraceFile final : public TraceOutput {
 public:
  // So many bytes wait at most to be written.
  static constexpr std::size_t kMaxWaiting = 16U << 20;

  // Throws std::system_error that names the path when the file cannot be made.
  TraceFile(const std::filesystem::path& path, LineFile::Mode mode,
            std::size_t max_waiting = kMaxWaiting);
  ~TraceFile() override;
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  // By the machine's monotonic clock, which all processes of one machine share.
  [[nodiscard]] Instant now() const override;
  bool take(std::string_view lines) override;

  // Waits until everything taken is written, or writing has failed. Not with another thread's
  // `take` going on.
  void drain();
  // Empty, or what went wrong with the file. Callable from any thread.
  [[nodiscard]] std::string error() const;

 private:
  void write_all();

  const std::size_t max_waiting_;
  LineFile file_;  // of the thread
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;            // guarded
  std::size_t writing_bytes_ = 0;  // guarded
  bool ending_ = false;            // guarded
  std::string error_;              // guarded
  std::thread thread_;
};

}  // namespace parley
