// For tests of what a strategy's messages say field by field.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "algorithms/contract/block.h"
#include "algorithms/contract/fields.h"

namespace parley {

// The fields as one text in which names and kinds of values are to be seen:
// "type='vote' term=3 granted=true terms=[1 4; 2 6] members={1 2, learners 3}".
class FieldText final : public FieldSink {
 public:
  using FieldSink::number;
  void number(std::string_view name, std::uint64_t value) override {
    add(name, std::to_string(value));
  }
  void flag(std::string_view name, bool value) override { add(name, value ? "true" : "false"); }
  void text(std::string_view name, std::string_view value) override {
    add(name, "'" + std::string(value) + "'");
  }
  void rows(std::string_view name, std::size_t width,
            std::span<const std::uint64_t> numbers) override {
    std::string list;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (i > 0) list += i % width == 0 ? "; " : " ";
      list += std::to_string(numbers[i]);
    }
    EXPECT_EQ(numbers.size() % width, 0U) << name << ": rows are whole";
    add(name, "[" + list + "]");
  }
  void members(std::string_view name, const Membership& members) override {
    std::string list = text_of(members);
    for (const Member& member : members.disks) {
      list += ", disk " + std::to_string(member.disk.value) + " of " +
              std::to_string(member.node.value);
    }
    add(name, "{" + list + "}");
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void add(std::string_view name, const std::string& value) {
    if (!text_.empty()) text_ += ' ';
    text_.append(name).append("=").append(value);
  }

  std::string text_;
};

// A message, and what it says of itself.
struct FieldCase {
  Block header;
  std::string fields;
};

// Holds messages against their cases. There must be a case of every kind: `kinds` are the names of
// the schema's enumeration, which begin with "none" and end with a null pointer.
inline void expect_fields(void (*fields)(const Block& header, FieldSink& to),
                          const std::vector<FieldCase>& cases, const char* const* kinds) {
  std::set<std::string> types;
  for (const FieldCase& one : cases) {
    FieldText said;
    fields(one.header, said);
    EXPECT_EQ(said.text(), one.fields);
    types.insert(one.fields.substr(0, one.fields.find(' ')));
  }
  for (++kinds; *kinds != nullptr; ++kinds) {
    EXPECT_TRUE(types.contains("type='" + std::string(*kinds) + "'")) << "no case of a " << *kinds;
  }
}

}  // namespace parley
