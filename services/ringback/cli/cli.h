// The command line `ringback`: parses, runs one command, says what went wrong.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ringback/cli/world.h"

namespace ringback::cli {

class Commands;

inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kNotReachable = 3;
inline constexpr int kMailServerWrong = 78;  // sysexits' EX_CONFIG: of `mail-in`, whose exit codes are for mail servers

// `arguments` without the program's name. `more` adds commands that need more than a client (serve, backup, …).
// Returns the exit code. Errors go to world.err as "ringback: <command>: <field>: <what would be right>".
int Run(const std::vector<std::string>& arguments, World& world, const std::function<void(Commands&)>& more = nullptr);

}  // namespace ringback::cli
