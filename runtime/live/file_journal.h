// What this node applied, as a file: `nodes/<id>.applied.csv` of a run's folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/applier.h"
#include "runtime/live/line_file.h"

namespace parley {

// Lines `stamp,client,seq,cell,t_ns,known`: the stamp as 32 lower-case hexadecimal digits that sort
// as stamps do, the rest in decimal; `t_ns` is when it was applied, by the machine's monotonic
// clock, which all processes of one machine share; `known`, of ordered strategies' writes that this
// node took from a client: the log index that it had applied then. A line of client 0 says that the
// state is now the one after the log index in its stamp's first half: 0 at a start that finds the
// file of an earlier one, otherwise that of a snapshot. What comes next comes after it, and may
// have been there before. Lines are gathered in memory until `flush`, so a killed node loses only
// the tail. A file that cannot be written to never disturbs the node: `error` tells of it.
class FileJournal final : public Journal {
 public:
  // Maps the store's keys to the cell numbers of the file.
  using CellNumber = std::function<std::uint64_t(Key)>;

  using Mode = LineFile::Mode;

  // `cell_number` may be null: then the key is the number. Throws std::system_error when the file
  // cannot be made.
  FileJournal(const std::filesystem::path& path, Mode mode, CellNumber cell_number);
  ~FileJournal() override { flush(); }
  FileJournal(const FileJournal&) = delete;
  FileJournal& operator=(const FileJournal&) = delete;

  void applied(Key key, Stamp stamp, Writer writer, std::uint64_t value) override;

  void next_run(std::optional<LogIndex> known) override { known_ = known; }
  void restored(LogIndex index) override;

  // Hands the gathered lines to the kernel.
  void flush();
  // Whether lines wait for a flush.
  [[nodiscard]] bool dirty() const { return !buffer_.empty(); }
  // Empty, or what went wrong with the file; nothing was written since.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  void put(Stamp stamp, Writer writer, std::uint64_t cell);

  CellNumber cell_number_;
  LineFile file_;
  std::optional<LogIndex> known_;  // of the run at hand
  std::vector<char> buffer_;
  std::string error_;
};

}  // namespace parley
