#include "runtime/storage/disk_faults.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <system_error>
#include <utility>

namespace parley {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// A file that is written as usual until the disk is full.
class File final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(std::unique_ptr<rocksdb::FSWritableFile> file, std::string name, const DiskFaultPoint& point)
      : FSWritableFileOwnerWrapper(std::move(file)), name_(std::move(name)), point_(point) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    if (point_.full()) return no_space();
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* debug) override {
    if (point_.full()) return no_space();
    return FSWritableFileOwnerWrapper::Append(data, options, verification, debug);
  }

 private:
  // As RocksDB reports what the kernel says.
  [[nodiscard]] IOStatus no_space() const {
    return IOStatus::NoSpace("While appending to file: " + name_,
                             std::generic_category().message(ENOSPC));
  }

  std::string name_;
  const DiskFaultPoint& point_;
};

class Files final : public rocksdb::FileSystemWrapper {
 public:
  explicit Files(const DiskFaultPoint& point)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), point_(point) {}

  const char* Name() const override { return "FilesThatCanBeFull"; }

  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file,
                           IODebugContext* debug) override {
    return wrapped(target()->NewWritableFile(name, options, file, debug), name, file);
  }
  IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* file,
                              IODebugContext* debug) override {
    return wrapped(target()->ReopenWritableFile(name, options, file, debug), name, file);
  }
  IOStatus ReuseWritableFile(const std::string& name, const std::string& old_name,
                             const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* file,
                             IODebugContext* debug) override {
    return wrapped(target()->ReuseWritableFile(name, old_name, options, file, debug), name, file);
  }

 private:
  IOStatus wrapped(IOStatus status, const std::string& name,
                   std::unique_ptr<rocksdb::FSWritableFile>* file) {
    if (status.ok()) *file = std::make_unique<File>(std::move(*file), name, point_);
    return status;
  }

  const DiskFaultPoint& point_;
};

}  // namespace

void DiskFaultPoint::set(const DiskFaults& faults) {
  {
    const std::lock_guard lock(mutex_);
    write_delay_ = faults.write_delay;
    full_.store(faults.full);
  }
  changed_.notify_all();
}

void DiskFaultPoint::delay() {
  const auto begun = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  // What is waited for may be changed meanwhile.
  while (std::chrono::steady_clock::now() < begun + write_delay_) {
    changed_.wait_until(lock, begun + write_delay_);
  }
}

std::unique_ptr<rocksdb::Env> env_with(const DiskFaultPoint& point) {
  return rocksdb::NewCompositeEnv(std::make_shared<Files>(point));
}

}  // namespace parley
