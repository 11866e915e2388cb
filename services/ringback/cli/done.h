// What a command says once it was carried out: the callback's line or the answer as JSON, and warnings beside it.
#pragma once

#include <string>

#include "ringback/cli/commands.h"
#include "ringback/cli/print.h"

namespace ringback::cli {

template <typename Response>
void PrintDone(Session& session, const Response& response, const std::string& what) {
  if (session.options().json) {
    *session.world().out << ToJson(response) << "\n";
  } else {
    PrintAfter(session, response.callback(), what);
  }
}

template <typename Response>
void PrintWarnings(Session& session, const Response& response) {
  if (session.options().json) return;  // they stand in the document
  for (const std::string& warning : response.warnings()) {
    *session.world().err << "ringback: warning: " << Printable(warning) << "\n";
  }
}

}  // namespace ringback::cli
