#include "runtime/maelstrom/base64.h"

#include <boost/beast/core/detail/base64.hpp>

namespace parley::maelstrom {

namespace base64 = boost::beast::detail::base64;

std::string to_base64(Bytes bytes) {
  std::string text(base64::encoded_size(bytes.size()), '\0');
  text.resize(base64::encode(text.data(), bytes.data(), bytes.size()));
  return text;
}

bool from_base64(std::string_view text, std::vector<std::byte>& bytes) {
  if (text.size() % 4 != 0) return false;
  bytes.resize(base64::decoded_size(text.size()));
  const auto [written, taken] = base64::decode(bytes.data(), text.data(), text.size());
  bytes.resize(written);
  // It stops at the first letter that is none.
  const std::string_view rest = text.substr(taken);
  return rest.empty() || rest == "=" || rest == "==";
}

}  // namespace parley::maelstrom
