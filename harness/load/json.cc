#include "harness/load/json.h"

#include <nlohmann/json.hpp>

#include "harness/load/ceiling.h"
#include "harness/load/limit.h"
#include "harness/load/run_files.h"
#include "harness/load/warmup.h"

namespace parley::load {
namespace {

using Json = nlohmann::ordered_json;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

Json json_of(Percentile percentile) {
  if (percentile.above) return to_csv(percentile);
  return percentile.us;
}

Json json_of(const LatencySummary& summary) {
  return {{"min", json_of(summary.min)},   {"p50", json_of(summary.p50)},
          {"p90", json_of(summary.p90)},   {"p99", json_of(summary.p99)},
          {"p999", json_of(summary.p999)}, {"max", json_of(summary.max)}};
}

Json json_of(const GeneratorFigures& own) {
  const bool limited = own.limit != Limit::none;
  Json json = {
      {"cpu_share", own.cpu_share},
      {"late_share", own.late_share},
      {"late_us", {{"p50", own.late_us.p50}, {"p99", own.late_us.p99}, {"max", own.late_us.max}}},
      {"latency_share",
       {{"p50", own.latency_share.p50},
        {"p90", own.latency_share.p90},
        {"p99", own.latency_share.p99}}},
      {"ceiling_ops_per_s", nullptr},
      {"limited", limited},
      {"limited_by", nullptr}};
  if (own.ceiling_ops_per_s > 0) json["ceiling_ops_per_s"] = own.ceiling_ops_per_s;
  if (limited) json["limited_by"] = limit_name(own.limit);
  return json;
}

Json json_of(const WarmupFigures& warmup) {
  Json json = {{"asked_s", warmup.asked_s},
               {"took_s", warmup.took_s},
               {"steady", nullptr},
               {"unsteady_because", nullptr}};
  if (!warmup.ended) return json;
  json["steady"] = *warmup.ended == Steadiness::steady;
  if (json["steady"] == false) json["unsteady_because"] = steadiness_text(*warmup.ended);
  return json;
}

Json json_of(const ReplayFigures& replay) {
  return {{"lines", replay.lines},
          {"placements", replay.placements},
          {"moderation", replay.moderation},
          {"outside", replay.outside},
          {"out_of_order", replay.out_of_order},
          {"malformed", replay.malformed},
          {"examples", replay.examples},
          {"finished", replay.finished}};
}

}  // namespace

std::optional<ReportedState> parse_report(const std::string& report) {
  const Json json = Json::parse(report, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto number = [](const Json& object, const char* key) -> std::optional<std::uint64_t> {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
    return found->get<std::uint64_t>();
  };
  const auto applied = number(json, "applied");
  const auto digest = number(json, "digest");
  if (!applied || !digest) return std::nullopt;
  ReportedState state{*applied, *digest, 0};
  if (const auto clients = json.find("clients"); clients != json.end() && clients->is_object()) {
    state.requests_in_flight = number(*clients, "in_flight").value_or(0);
  }
  return state;
}

std::string summary_json(const LoadResult& result) {
  const double limit_us = result.operation_timeout_us;
  Json json = {
      {"offered_ops_per_s", result.offered_ops_per_s},
      {"achieved_ops_per_s", result.achieved_ops_per_s},
      {"completed", result.completed},
      {"refused", result.refused},
      {"unknown", result.unknown},
      {"unsent", result.unsent},
      {"latency_us", json_of(result.latency.summary(limit_us))},
      {"service_us", json_of(result.service.summary(limit_us))},
      {"generator", json_of(result.generator)},
      {"warmup", json_of(result.warmup)},
      {"errors", result.errors},
      {"retries", result.retries},
      {"late_replies", result.late_replies},
      {"requests", result.requests},
      {"request_bytes", result.request_bytes},
      {"replies", result.replies},
      {"reply_bytes", result.reply_bytes},
  };
  for (const RegionLatency& region : result.regions) {
    json["regions"].push_back({{"name", region.name},
                               {"operations", region.latency.count()},
                               {"latency_us", json_of(region.latency.summary(limit_us))}});
  }
  if (result.replay.lines > 0) json["replay"] = json_of(result.replay);
  return json.dump();
}

std::string spec_json(const LoadSpec& spec) {
  const bool open = spec.loop == Loop::open;
  Json json = {
      {"loop", open ? "open" : "closed"},
      {"batch", spec.batch},
      {"clients", spec.clients},
      {"workload", spec.workload},
      {"read_share", spec.read_share},
      {"read_mode", spec.read_mode == ReadMode::local ? "local" : "linearizable"},
      {"routing", spec.routing == Routing::any ? "any" : "leader"},
      {"retry", spec.retry},
      {"operation_timeout_ms", seconds(spec.operation_timeout) * 1000},
      {"attempt_timeout_ms", seconds(spec.attempt_timeout) * 1000},
      {"warmup_s", seconds(spec.warmup)},
      {"warmup_max_s", seconds(spec.warmup_max)},
      {"duration_s", seconds(spec.duration)},
      {"seed", spec.seed},
  };
  if (open) {
    json["rate"] = spec.rate;
    json["arrivals"] = spec.arrivals == Arrivals::poisson ? "poisson" : "constant";
    json["max_in_flight"] = spec.max_in_flight;
  } else {
    json["window"] = spec.window;
  }
  if (spec.workload.starts_with("replay:")) json["replay_speed"] = spec.replay_speed;
  if (spec.ceiling_ops_per_s > 0) {
    json["generator_ceiling"] = {{"ops_per_s", spec.ceiling_ops_per_s}, {"method", kCeilingMethod}};
  }
  return json.dump();
}

}  // namespace parley::load
