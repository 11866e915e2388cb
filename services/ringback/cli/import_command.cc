// import: the callers of a list, as spreadsheets and telephone systems export it. Shows what would happen before it does.
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/ids.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/csv.h"
#include "ringback/cli/print.h"
#include "ringback/cli/progress.h"

namespace ringback::cli {
namespace {

constexpr size_t kRowsShown = 20;

struct Args {
  std::string file;
  std::vector<std::string> columns;
  bool dry_run = false, yes = false;
};

absl::StatusOr<std::map<std::string, std::string>> Columns(const std::vector<std::string>& pairs) {
  std::map<std::string, std::string> columns;
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == pair.size()) {
      return UsageError("--column is written FIELD=HEADING, like phone=Rufnummer");
    }
    columns[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return columns;
}

// The same row is the same request, whenever and from whichever file it comes.
std::string RequestIdOf(const CallerRow& row) { return absl::StrCat("import-", Sha256Hex(row.text).substr(0, 48)); }

// What can be known here; a number in national form is the server's to judge.
std::string ProblemOf(const CallerRow& row) {
  if (!row.problem.empty()) return row.problem;
  if (!row.caller.email().empty()) {
    if (const auto email = domain::NormaliseEmail(row.caller.email(), "email"); !email.ok()) {
      return std::string(email.status().message());
    }
  }
  if (row.caller.phone().substr(0, 1) == "+") {
    if (const auto phone = domain::NormalisePhone(row.caller.phone(), "", "phone"); !phone.ok()) {
      return std::string(phone.status().message());
    }
  }
  return "";
}

// Marks what cannot be taken in, and what stands there twice.
void Check(CallerTable* table) {
  std::map<std::string, int> seen;
  for (CallerRow& row : table->rows) {
    row.problem = ProblemOf(row);
    if (!row.problem.empty()) continue;
    const auto [first, is_new] = seen.emplace(RequestIdOf(row), row.line);
    if (!is_new) row.problem = absl::StrCat("the same as line ", first->second);
  }
}

std::string Problems(const std::string& file, const CallerTable& table) {
  std::string problems;
  for (const CallerRow& row : table.rows) {
    if (row.problem.empty()) continue;
    absl::StrAppend(&problems, "ringback: import: ", file, ":", row.line, ": ", Printable(row.problem), "\n");
  }
  return problems;
}

void PrintPreview(Session& session, const CallerTable& table, size_t good) {
  World& world = session.world();
  Table rows({"LINE", "CALLER", "PHONE", "EMAIL", "EXTENSION", "NOTE"});
  size_t shown = 0;
  for (const CallerRow& row : table.rows) {
    if (!row.problem.empty() || shown == kRowsShown) continue;
    rows.Row({absl::StrCat(row.line), CallerWords(row.caller), row.caller.phone(), row.caller.email(), row.extension,
              Cut(row.note, 40)});
    ++shown;
  }
  rows.Print(*world.out, world.ColourOut());
  if (good > shown) *world.out << "… and " << good - shown << " more\n";
}

struct Outcome {
  int created = 0, rang_again = 0, refused = 0;
};

// Goes on behind a bad row.
absl::StatusOr<Outcome> TakeIn(Session& session, const std::string& file, const CallerTable& table) {
  World& world = session.world();
  Outcome outcome;
  std::string problems;  // written behind the bar, not through it
  {
    Progress progress("importing", static_cast<int64_t>(table.rows.size()), world);
    for (size_t i = 0; i < table.rows.size(); ++i) {
      const CallerRow& row = table.rows[i];
      if (!row.problem.empty()) continue;
      v1::CreateCallbackRequest request;
      v1::CreateCallbackResponse response;
      request.set_request_id(RequestIdOf(row));
      RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
      *request.mutable_caller() = row.caller;
      request.set_note(row.note);
      request.set_extension(row.extension);
      const absl::Status status =
          session.Call([&](auto* context) { return session.callbacks().CreateCallback(context, request, &response); });
      if (absl::IsUnavailable(status) || absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status)) return status;
      if (status.ok()) {
        ++(response.rang_again() ? outcome.rang_again : outcome.created);
      } else {
        ++outcome.refused;
        absl::StrAppend(&problems, "ringback: import: ", file, ":", row.line, ": ", ErrorWords(status), "\n");
      }
      progress.At(static_cast<int64_t>(i + 1));
    }
  }
  *world.err << problems;
  return outcome;
}

absl::Status Import(Session& session, const Args& args) {
  World& world = session.world();
  const bool json = session.options().json;
  RB_ASSIGN_OR_RETURN(const auto columns, Columns(args.columns));
  RB_ASSIGN_OR_RETURN(const std::string text, ReadFile(args.file, int64_t{64} << 20, world));
  absl::StatusOr<CallerTable> table = ReadCallers(text, columns);
  if (!table.ok()) return absl::InvalidArgumentError(absl::StrCat(args.file, ": ", table.status().message()));
  if (!table->unknown_columns.empty()) {
    *world.err << "ringback: import: columns that mean nothing here are left out: "
               << Printable(absl::StrJoin(table->unknown_columns, ", ")) << "\n";
  }
  Check(&*table);
  *world.err << Problems(args.file, *table);
  size_t good = 0;
  for (const CallerRow& row : table->rows) good += row.problem.empty() ? 1 : 0;
  const size_t bad = table->rows.size() - good;
  const absl::Status problems = bad == 0 ? absl::OkStatus() : absl::InvalidArgumentError("");
  if (!args.yes && !json) PrintPreview(session, *table, good);
  if (args.dry_run || (!args.yes && !world.in_is_terminal)) {
    if (json) {
      *world.out << "{\"rows\":" << good << ",\"refused\":" << bad << "}\n";
    } else {
      *world.out << good << " to take in, " << bad << " refused; nothing was done" << (args.dry_run ? "" : ", --yes does it")
                 << "\n";
    }
    return problems;
  }
  if (good == 0) return problems;
  RB_RETURN_IF_ERROR(Confirm(absl::StrCat("Take in ", good, " callers?"), args.yes, world));
  RB_ASSIGN_OR_RETURN(const Outcome outcome, TakeIn(session, args.file, *table));
  const size_t refused = bad + static_cast<size_t>(outcome.refused);
  if (json) {
    *world.out << "{\"created\":" << outcome.created << ",\"rang_again\":" << outcome.rang_again << ",\"refused\":" << refused
               << "}\n";
  } else {
    *world.out << outcome.created << " taken in, " << outcome.rang_again << " rang again, " << refused << " refused\n";
  }
  return refused == 0 ? absl::OkStatus() : absl::InvalidArgumentError("");
}

}  // namespace

void AddImportCommand(Commands& commands) {
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand(
      "import", "Take in the callers of a CSV file; shows them first. The same row again within a week counts once");
  command->add_option("FILE", args->file, "name, company, phone, email, note, extension, …; the first line names the columns, "
                                          "German headings do; - reads standard input")
      ->required();
  command->add_option("--column", args->columns, "phone=Rückrufnummer: which column is which field; may be repeated")
      ->type_name("FIELD=HEADING");
  CLI::Option* const dry_run = command->add_flag("--dry-run", args->dry_run, "Only show what would be taken in");
  command->add_flag("--yes", args->yes, "Do not show it and do not ask")->excludes(dry_run);
  commands.OnServer(command, [args](Session& session) { return Import(session, *args); });
}

}  // namespace ringback::cli
