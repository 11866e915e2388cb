// `ringback bootstrap`: the first team and the first tokens of a pipeline, straight into its store. `ringback serve` does
// the same by itself at its first start.
#pragma once

#include "ringback/cli/commands.h"

namespace ringback {

void AddBootstrapCommand(cli::Commands& commands);

}  // namespace ringback
