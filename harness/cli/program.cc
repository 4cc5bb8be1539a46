#include "harness/cli/program.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

namespace parley::cli {

int run_program(std::vector<std::string> arguments, bool output_to_stderr) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    if (output_to_stderr) dup2(STDERR_FILENO, STDOUT_FILENO);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return 127;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

}  // namespace parley::cli
