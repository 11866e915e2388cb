// `ringback serve`: the whole pipeline in one process, on SQLite and a directory, with no server beside it.
#pragma once

#include "ringback/cli/commands.h"

namespace ringback {

void AddServeCommand(cli::Commands& commands);

}  // namespace ringback
