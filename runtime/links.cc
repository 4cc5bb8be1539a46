#include "runtime/links.h"

namespace parley {
namespace {

bool covers(NodeId rule, NodeId node) {
  return rule == kNoNode || rule == node;
}

}  // namespace

std::vector<LinkRule> NetworkProfile::leaving(NodeId from) const {
  std::vector<LinkRule> own;
  for (const LinkRule& rule : rules) {
    if (covers(rule.from, from)) own.push_back({from, rule.to, rule.shape});
  }
  return own;
}

std::optional<LinkShape> shape_of(const std::vector<LinkRule>& rules, NodeId from, NodeId to) {
  std::optional<LinkShape> shape;
  for (const LinkRule& rule : rules) {
    if (covers(rule.from, from) && covers(rule.to, to)) shape = rule.shape;
  }
  return shape;
}

LinkProfile profile_of(const LinkShape& shape) {
  LinkProfile profile;
  profile.delay = std::chrono::microseconds(shape.delay_us);
  profile.jitter = std::chrono::microseconds(shape.jitter_us);
  profile.loss_per_million = shape.loss_per_million;
  profile.cut = shape.cut;
  profile.allow_reorder = shape.reorder;
  return profile;
}

}  // namespace parley
