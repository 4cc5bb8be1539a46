// parley: the arguments of all commands. What they do is in command_*.cc.
#include <CLI/CLI.hpp>
#include <functional>
#include <memory>

#include "harness/cli/check_options.h"
#include "harness/cli/commands.h"
#include "harness/cli/describe.h"
#include "harness/cli/software.h"
#include "harness/cluster/config_file.h"

namespace parley::cli {
namespace {

// What the arguments ask for; runs after parsing.
using Action = std::function<int()>;

constexpr std::uint64_t kMaxSeed = ~0ULL;

// CLI::Range takes "nan", which compares with nothing.
CLI::Validator number_from(double least, double most) {
  const CLI::Validator is_number(
      [](const std::string& text) {
        const bool is_nan = std::isnan(std::strtod(text.c_str(), nullptr));
        return is_nan ? "\"" + text + "\" is not a number" : std::string();
      },
      "");
  return CLI::Range(least, most) & is_number;
}

// Adds a command whose options live as long as the parser.
template <class Options>
std::pair<CLI::App*, Options*> add_command(CLI::App& app, Action& action,
                                           int (*run)(const Options&), const char* name,
                                           const char* help, const char* examples) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(name, help);
  command->footer(std::string("Examples:\n") + examples);
  command->callback([options, run, &action] { action = [options, run] { return run(*options); }; });
  if constexpr (requires { options->common; }) {
    command->add_flag("--json", options->common.json, "Machine-readable result on standard output");
    command->add_option("--seed", options->common.seed, "Seed of all random choices")
        ->check(CLI::Range(std::uint64_t{0}, kMaxSeed));
  }
  return {command, options.get()};
}

void add_measuring(CLI::App& app, Action& action) {
  auto [compare, c] = add_command(app, action, &run_compare, "compare",
                                  "Measure every algorithm on this machine, then report",
                                  "  parley compare --quick\n  parley compare --out my-comparison");
  compare->add_flag("--quick", c->quick, "Measure for about four minutes");
  compare->add_flag("--resume", c->resume, "Go on with the comparison that --out names");
  compare
      ->add_option("--out", c->out,
                   "Folder for results and report (default: results/compare-<time>)")
      ->type_name("DIR");

  auto [sweep, s] = add_command(app, action, &run_sweep_command, "sweep",
                                "Measure the cross product that SPEC describes",
                                "  parley sweep spec.toml --out results/mine\n"
                                "  parley sweep spec.toml --out results/mine --resume");
  sweep->add_option("SPEC", s->spec, "The spec, a TOML file")->required();
  sweep->add_option("--out", s->out, "Folder for the results")->type_name("DIR");
  sweep->add_flag("--resume", s->resume, "Go on with a sweep that was interrupted");
  sweep->add_flag("--dry-run", s->dry_run, "Only say what would run and how long it takes");

  auto [report, r] =
      add_command(app, action, &run_report, "report", "Make plots and a page from result folders",
                  "  parley report results/mine --out reports/mine");
  report->add_option("DIR", r->folders, "Folders of sweeps")->required();
  report->add_option("--out", r->out, "Folder for the report (default: the first DIR/report)")
      ->type_name("DIR");
  report
      ->add_option("--files", r->files,
                   "What there is beside the page, of svg,pdf,csv,md,columns (default: all)")
      ->type_name("LIST");

  auto [diff, d] = add_command(app, action, &run_diff, "diff",
                               "Compare two sets of results: differences with confidence intervals",
                               "  parley diff results/before results/after\n"
                               "  parley diff results/a results/b --metric latency_us.p99");
  diff->add_option("DIR_A", d->a, "Folder of a run, of a sweep, or of several")->required();
  diff->add_option("DIR_B", d->b, "What to compare it with")->required();
  diff->add_option("--metric", d->metrics,
                   "A number of summary.json by its dotted name; can be repeated (default: rate, "
                   "p50, p99, CPU, with faults also the first success)");
  diff->add_option("--tolerance", d->tolerance, "Smaller differences are none, a share")
      ->check(number_from(0, 10));
  diff->footer(std::string(diff->get_footer()) +
               "\nExit status: 0 no difference found, 1 a difference, 2 not comparable, or too few "
               "repetitions to tell.");

  auto [load, l] =
      add_command(app, action, &run_load_command, "load", "Drive load at a running cluster",
                  "  parley load --target 127.0.0.1:7001,127.0.0.1:7002 --rate 5000\n"
                  "  parley load --target 127.0.0.1:7001 --workload hotspot:0.5@4\n"
                  "  parley load --target 127.0.0.1:7001 --replay log.csv.gz --speed 60");
  load->add_option("--target", l->targets, "Client ports of the nodes, HOST:PORT,…")->required();
  load->add_option("--rate", l->rate, "Placements per second (open loop)")
      ->check(number_from(0.1, 1e8));
  load->add_option("--duration", l->duration, "Seconds to measure, e.g. 10 or 2.5s");
  load->add_option("--workload", l->workload,
                   "uniform, zipf[:EXPONENT], hotspot[:SHARE[@CELLS]] (default 0.9@16), or rplace: "
                   "cells, users and, in the open loop, rates of the event");
  load->add_option("--replay", l->replay, "A published log of the event, plain or gzip")
      ->type_name("FILE");
  load->add_option("--speed", l->speed, "How many times faster than recorded")
      ->check(number_from(0.001, 1e6));
  load->add_option("--loop", l->loop, "open or closed")->check(CLI::IsMember({"open", "closed"}));
  load->add_option("--window", l->window, "Operations in flight (closed loop)")
      ->check(CLI::Range(1, 1 << 20));
  load->add_option("--batch", l->batch, "Placements per message")->check(CLI::Range(1, 64));
  load->add_option("--clients", l->clients, "Logical clients")->check(CLI::Range(1, 1 << 16));
  load->add_option("--read-share", l->read_share, "Share of reads")->check(number_from(0, 1));
  load->add_option("--read-mode", l->read_mode, "local or linearizable")
      ->check(CLI::IsMember({"local", "linearizable"}));
  load->add_option("--routing", l->routing, "any or leader")
      ->check(CLI::IsMember({"any", "leader"}));
  load->add_option("--size", l->size, "Size of the canvas, WxH");
}

void add_running(CLI::App& app, Action& action) {
  auto [canvas, c] =
      add_command(app, action, &run_canvas, "canvas", "Start a cluster and its web page",
                  "  parley canvas\n  parley canvas --algorithm raft --nodes 5\n"
                  "  parley canvas --algorithm all");
  canvas
      ->add_option("--algorithm", c->algorithm,
                   "The strategy (parley algorithms lists them); all: one cluster for each of "
                   "several nodes, on one page, with --allow-faults")
      ->type_name("ALGORITHM");
  canvas->add_option("--nodes", c->nodes, "How many nodes")->check(CLI::Range(1, 64));
  canvas
      ->add_option("--spares", c->spares,
                   "Nodes more that wait until they are added (parley members)")
      ->check(CLI::Range(0, 63));
  canvas
      ->add_option("--rejoin", c->rejoin,
                   "Node of --data that has lost its folder: it waits until it is added again; can "
                   "be repeated")
      ->check(CLI::Range(1, 64));
  canvas->add_option("--http-port", c->http_port, "Node i serves HTTP at this port + i - 1")
      ->check(CLI::Range(1, 65000));
  canvas->add_option("--size", c->size, "Size of the canvas, WxH, up to 4096x4096");
  canvas
      ->add_option("--cooldown", c->cooldown_s,
                   "Seconds between two placements of a user (default: 0, none)")
      ->check(number_from(0, 86400));
  canvas->add_option(
      "--durability", c->durability,
      "none, async or group_commit: what counts as stored (default: async with --data, else none)");
  canvas
      ->add_option("--data", c->data, "Folder that keeps the state; found again at the next start")
      ->type_name("DIR");
  canvas->add_flag("--allow-faults", c->allow_faults,
                   "The page, and POST /faults, may cut, delay, pause and kill nodes");
  canvas
      ->add_option("--trace-out", c->trace_out,
                   "Folder for what the protocol does at each node, <id>.jsonl (parley node "
                   "--trace-out)")
      ->type_name("DIR");
  canvas->add_option("--option", c->options, "An option of the algorithm, NAME=VALUE");

  auto [node, n] = add_command(app, action, &run_node, "node", "Run one node in the foreground",
                               "  parley node --config node.toml");
  node->add_option("--config", n->config, "The node's configuration, a TOML file")
      ->required()
      ->type_name("FILE");
  node->add_flag("--rejoin", n->rejoin,
                 "The node has lost its folder: it waits, with a new one, until it is removed and "
                 "added again (parley members)");
  node->add_option("--trace-out", n->trace_out,
                   "Write what the protocol does, every message and change of state as a line of "
                   "JSON (docs/protocol_trace.md)")
      ->type_name("FILE");

  auto [maelstrom, a] =
      add_command(app, action, &run_maelstrom, "maelstrom",
                  "Run one node for Maelstrom, on standard input and output",
                  "  printf '#!/bin/sh\\nexec parley maelstrom --algorithm raft\\n' > node.sh; "
                  "chmod +x node.sh\n"
                  "  ./maelstrom test -w lin-kv --bin node.sh --node-count 3 --time-limit 30 \\\n"
                  "    --concurrency 4n --rate 100 --nemesis partition");
  maelstrom->footer(
      std::string(maelstrom->get_footer()) +
      "\n\nServes lin-kv (raft, bully_2pc, unreplicated on one node), broadcast and g-set (all "
      "strategies).\n"
      "What a strategy does not promise is answered with error 10, and a text that says why.\n"
      "Nothing is stored (durability none): a node that ended must not come back under its name.\n"
      "Logs go to standard error. The process ends with its input. docs/maelstrom.md says more.");
  maelstrom->add_option("--algorithm", a->algorithm, "The strategy (parley algorithms lists them)")
      ->type_name("ALGORITHM");
  maelstrom
      ->add_option("--trace-out", a->trace_out,
                   "Folder for what the protocol does at this node, <id>.jsonl (parley node "
                   "--trace-out)")
      ->type_name("DIR");
  maelstrom->add_option("--option", a->options, "An option of the algorithm, NAME=VALUE");
  maelstrom->add_option("--seed", a->seed, "Seed of all random choices (default: the time)")
      ->check(CLI::Range(std::uint64_t{0}, kMaxSeed));

  auto [members, m] = add_command(app, action, &run_members, "members",
                                  "Show or change the members of a running cluster",
                                  "  parley members --connect http://127.0.0.1:8080\n"
                                  "  parley members --connect http://127.0.0.1:8080 --replace 2=4\n"
                                  "  parley members --connect http://127.0.0.1:8080 --remove 3");
  members->add_option("--connect", m->connect,
                      "The page of any of its nodes (default: http://127.0.0.1:8080)");
  auto* add = members->add_option("--add", m->add, "A node that waits: it catches up, then votes")
                  ->check(CLI::Range(1, 64));
  auto* remove = members->add_option("--remove", m->remove, "A member that is to go, dead or alive")
                     ->check(CLI::Range(1, 64));
  members
      ->add_option("--replace", m->replace,
                   "OLD=NEW: the one goes and the other takes its place, in one change")
      ->excludes(add)
      ->excludes(remove);
}

void add_checking(CLI::App& app, Action& action) {
  auto [test, t] = add_command(app, action, &run_test, "test", "Run the tests",
                               "  parley test\n  parley test --algorithm raft --full");
  test->add_option("--algorithm", t->algorithm, "Only the tests of one strategy")
      ->type_name("ALGORITHM");
  test->add_flag("--full", t->full, "Also the long ones");

  auto [check, c] =
      add_command(app, action, &run_check, "check", "Deterministic simulation with checkers",
                  "  parley check --algorithm raft --seeds 1000\n"
                  "  parley check --algorithm raft --seeds 1 --seed 17\n"
                  "  parley check --algorithm raft --seeds 1 --seed 17 --trace-out run.json\n"
                  "  parley check --algorithm raft --mutants");
  add_check_options(*check, *c);

  auto [history, h] =
      add_command(app, action, &run_check_history, "check-history", "Check a recorded history",
                  "  parley check-history results/mine/001-raft-n3/history.jsonl");
  history
      ->add_option(
          "FILE", h->path,
          "history.jsonl, also of another program and then without versions, or the folder "
          "of a run")
      ->required();
  history->add_option("--model", h->model, "linearizable, convergent or session")
      ->check(CLI::IsMember({"linearizable", "convergent", "session"}));

  auto [bench, b] = add_command(app, action, &run_bench, "bench", "Run the micro-benchmarks",
                                "  parley bench\n  parley bench Store");
  bench->add_option("FILTER", b->filter, "Regular expression on their names");
}

void add_describing(CLI::App& app, Action& action) {
  add_command(app, action, &run_algorithms, "algorithms",
              "List the strategies with their guarantees and options",
              "  parley algorithms --json");
  add_command(app, action, &run_doctor, "doctor", "Say what this machine has and lacks",
              "  parley doctor");
}

// Made of the definitions in this file.
void add_generated(CLI::App& app, Action& action) {
  CLI::App* manual = app.add_subcommand("manual", "Print the manual page");
  manual->footer("Examples:\n  parley manual | man -l -");
  manual->callback([&app, &action] { action = [&app] { return run_manual(describe(app)); }; });

  CLI::App* completion =
      app.add_subcommand("completion", "Print the completion of commands and options for a shell");
  completion->footer("Examples:\n  source <(parley completion bash)");
  const auto shell = std::make_shared<std::string>();
  completion->add_option("SHELL", *shell, "The shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&app, &action, shell] {
    action = [&app, shell] { return run_completion(*shell, describe(app)); };
  });
}

void add_terminal(CLI::App& app, Action& action) {
  auto [paint, p] =
      add_command(app, action, &run_paint, "paint", "Paint a pixel of a running canvas",
                  "  parley paint 50 30 FF5733\n"
                  "  parley paint 50 30 FF5733 --node 127.0.0.1:8081 --user 7");
  paint->add_option("X", p->x, "Column, from 0 on the left")->required();
  paint->add_option("Y", p->y, "Row, from 0 at the top")->required();
  paint->add_option("COLOR", p->color, "Six hexadecimal digits, RRGGBB")->required();
  paint->add_option("--node", p->node, "The node whose page this is, HOST:PORT");
  paint->add_option("--user", p->user, "Who paints, a number");

  auto [watch, w] =
      add_command(app, action, &run_watch, "watch", "Watch a running canvas in the terminal",
                  "  parley watch\n  parley watch --node 127.0.0.1:8082 --at 500,500 --scale 1\n"
                  "  parley watch --json --seconds 10 > changes.jsonl");
  watch->add_option("--node", w->node, "The node whose page this is, HOST:PORT");
  watch->add_option("--at", w->at, "The cell in the middle (default: that of the canvas)")
      ->type_name("X,Y");
  watch->add_option("--scale", w->scale, "Cells a side drawn as one (default: all of them fit)")
      ->check(CLI::Range(1, 4096));
  watch->add_option("--seconds", w->seconds, "End after so long (default: with Ctrl-C)")
      ->check(number_from(0.1, 1e6));
}

// What is not known, as one sentence that names the nearest that is: commands if there is none yet,
// else the options of the command.
std::string unknown_word(const CLI::App& app, const std::string& word) {
  std::vector<std::string> known;
  const auto chosen = app.get_subcommands();
  const CLI::App& at = chosen.empty() ? app : *chosen.front();
  for (const CLI::App* command : app.get_subcommands({})) {
    if (chosen.empty()) known.push_back(command->get_name());
  }
  for (const CLI::Option* option : at.get_options()) {
    if (!option->get_lnames().empty()) known.push_back("--" + option->get_lnames().front());
  }
  const std::string near = harness::nearest(word, known);
  return "\"" + word + "\" is not known; " +
         (near.empty() ? "" : "the nearest is \"" + near + "\"; ") + "parley " +
         (chosen.empty() ? "" : at.get_name() + " ") + "--help shows what is";
}

int run(int argc, char** argv) {
  CLI::App app("Parley: one application under interchangeable coordination strategies, measured.",
               "parley");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("parley ") + std::string(kVersion) + " (" +
                                        std::string(kCommit) + ", " + std::string(kBuildType) +
                                        ", " + std::string(kCompiler) + ")");
  app.footer(
      "`parley COMMAND --help` shows a command's options with examples.\n"
      "Exit status: 0 done, 1 a check or measurement failed, 2 wrong usage (diff has its own).");
  Action action;
  add_measuring(app, action);
  add_running(app, action);
  add_checking(app, action);
  add_describing(app, action);
  add_generated(app, action);
  add_terminal(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    // What is missing may be there under a name that is not known.
    const std::vector<std::string> unknown = app.remaining(/*recurse=*/true);
    if (unknown.empty()) {
      app.exit(error);
    } else {
      complain(unknown_word(app, unknown.front()));
    }
    return kUsage;
  }
  return action();
}

}  // namespace
}  // namespace parley::cli

int main(int argc, char** argv) {
  try {
    return parley::cli::run(argc, argv);
  } catch (const std::exception& error) {
    parley::cli::complain(error.what());
    return parley::cli::kFailed;
  }
}
