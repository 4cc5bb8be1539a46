// A small application for tests: 64 cells that can be set and, when made state-dependent, added to.
#pragma once

#include <cstring>
#include <vector>

#include "algorithms/contract/application.h"

namespace parley {

struct TestPayload {
  std::uint32_t key = 0;
  std::uint32_t value = 0;
};

class TestApplication final : public Application {
 public:
  enum class Kind { set, add };
  static constexpr std::uint32_t kKeys = 64;

  explicit TestApplication(Kind kind = Kind::set) : kind_(kind) {}

  [[nodiscard]] std::string_view name() const override { return "test"; }
  [[nodiscard]] std::uint32_t key_count() const override { return kKeys; }
  [[nodiscard]] bool state_dependent() const override { return kind_ == Kind::add; }

  [[nodiscard]] std::string validate(Bytes payload) const override {
    if (payload.size() != sizeof(TestPayload)) return "payload: must have 8 bytes";
    return read(payload).key < kKeys ? "" : "key: must be below 64";
  }

  void execute(const Store& store, std::span<const Command> commands, WriteSink& writes,
               ReplySink& replies) const override {
    for (const Command& command : commands) {
      const TestPayload payload = read(command.payload);
      const Key key{payload.key};
      const std::uint64_t before = kind_ == Kind::add ? store.at(key).value : 0;
      writes.put(command, key, before + payload.value);
      if (kind_ == Kind::add) replies.set(command, 1, before);
    }
  }

  void translate(const Command& command, CellWrite& write) const override {
    const TestPayload payload = read(command.payload);
    write.key = Key{payload.key};
    write.value = payload.value;
  }

  std::string query(const Store& store, Bytes query,
                    std::vector<std::byte>& answer) const override {
    if (query.size() != 4) return "query: must have 4 bytes";
    std::uint32_t key = 0;
    std::memcpy(&key, query.data(), sizeof(key));
    const std::uint64_t value = store.at(Key{key % kKeys}).value;
    const Bytes bytes = std::as_bytes(std::span(&value, 1));
    answer.insert(answer.end(), bytes.begin(), bytes.end());
    return {};
  }

  static void append(std::vector<std::byte>& body, std::uint32_t session, std::uint32_t sequence,
                     std::uint32_t key, std::uint32_t value) {
    const CommandHeader header{session, sequence, sizeof(TestPayload), 0};
    const TestPayload payload{key, value};
    append_command(header, std::as_bytes(std::span(&payload, 1)), body);
  }

  static void append_open(std::vector<std::byte>& body, std::uint64_t nonce) {
    append_open_session(nonce, body);
  }

 private:
  static TestPayload read(Bytes payload) {
    TestPayload parsed;
    std::memcpy(&parsed, payload.data(), sizeof(parsed));
    return parsed;
  }

  Kind kind_;
};

}  // namespace parley
