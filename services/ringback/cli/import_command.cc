// import: the callers of a list, as spreadsheets and telephone systems export it. Shows what would happen before it does.
#include <algorithm>
#include <functional>
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

struct Outcome {
  int created = 0, rang_again = 0, refused = 0;
};

// Each row that is good so far as a request, in turn; goes on behind one that is refused. Ends with what would befall every
// row alike.
absl::Status ForEachRow(Session& session, const char* doing, CallerTable* table, Outcome* outcome,
                        const std::function<absl::StatusOr<bool>(const CallerRow&, v1::CreateCallbackRequest)>& ask) {
  Progress progress(doing, static_cast<int64_t>(table->rows.size()), session.world());
  for (size_t i = 0; i < table->rows.size(); ++i) {
    CallerRow& row = table->rows[i];
    if (!row.problem.empty()) continue;
    v1::CreateCallbackRequest request;
    RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
    *request.mutable_caller() = row.caller;
    request.set_note(row.note);
    request.set_extension(row.extension);
    const absl::StatusOr<bool> rang_again = ask(row, std::move(request));
    const absl::Status& status = rang_again.status();
    if (absl::IsUnavailable(status) || absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status)) return status;
    if (status.ok()) {
      ++(*rang_again ? outcome->rang_again : outcome->created);
    } else {
      ++outcome->refused;
      row.problem = ErrorWords(status);
    }
    progress.At(static_cast<int64_t>(i + 1));
  }
  return absl::OkStatus();
}

// What would become of a row.
struct Foreseen {
  std::string phone;  // as the team reads it
  std::string what;
};

// Asks the server and changes nothing. Rows of one caller are one callback: the first makes it. Without a request_id: a
// server that does not know validate_only refuses that, instead of taking the caller in.
absl::StatusOr<std::map<int, Foreseen>> Foresee(Session& session, CallerTable* table, Outcome* outcome) {
  std::map<int, Foreseen> foreseen;
  std::map<std::string, int> first_lines;
  RB_RETURN_IF_ERROR(ForEachRow(
      session, "checking", table, outcome,
      [&](const CallerRow& row, v1::CreateCallbackRequest request) -> absl::StatusOr<bool> {
        request.set_validate_only(true);
        v1::CreateCallbackResponse response;
        RB_RETURN_IF_ERROR(session.Call(
            [&](auto* context) { return session.callbacks().CreateCallback(context, request, &response); }));
        const v1::Caller& caller = response.callback().caller();
        Foreseen& one = foreseen[row.line];
        one.phone = caller.phone_national().empty() ? row.caller.phone() : caller.phone_national();
        if (response.rang_again()) {
          one.what = absl::StrCat("rings again on ", response.callback().id());
          return true;
        }
        int first = row.line;
        for (const std::string& way : {caller.phone(), caller.email()}) {
          if (!way.empty()) first = std::min(first, first_lines.emplace(way, row.line).first->second);
        }
        one.what = first == row.line ? "new" : absl::StrCat("rings again, as line ", first);
        return first != row.line;
      }));
  return foreseen;
}

absl::StatusOr<Outcome> TakeIn(Session& session, CallerTable* table) {
  Outcome outcome;
  RB_RETURN_IF_ERROR(ForEachRow(
      session, "importing", table, &outcome,
      [&](const CallerRow& row, v1::CreateCallbackRequest request) -> absl::StatusOr<bool> {
        request.set_request_id(RequestIdOf(row));
        v1::CreateCallbackResponse response;
        RB_RETURN_IF_ERROR(session.Call(
            [&](auto* context) { return session.callbacks().CreateCallback(context, request, &response); }));
        return response.rang_again();
      }));
  return outcome;
}

void PrintPreview(Session& session, const CallerTable& table, const std::map<int, Foreseen>& foreseen) {
  World& world = session.world();
  Table rows({"LINE", "CALLER", "PHONE", "EMAIL", "EXTENSION", "NOTE", "WOULD BE"});
  size_t shown = 0;
  for (const CallerRow& row : table.rows) {
    const auto found = foreseen.find(row.line);
    if (found == foreseen.end()) continue;
    if (++shown > kRowsShown) break;
    rows.Row({absl::StrCat(row.line), CallerWords(row.caller), found->second.phone, row.caller.email(), row.extension,
              Cut(row.note, 40), found->second.what});
  }
  rows.Print(*world.out, world.ColourOut());
  if (foreseen.size() > kRowsShown) *world.out << "… and " << foreseen.size() - kRowsShown << " more\n";
}

// Rows with a problem, counted.
int Refused(const CallerTable& table) {
  return static_cast<int>(std::count_if(table.rows.begin(), table.rows.end(), [](const CallerRow& row) { return !row.problem.empty(); }));
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
  if (!args.yes) {
    Outcome would;
    RB_ASSIGN_OR_RETURN(const auto foreseen, Foresee(session, &*table, &would));
    const int refused = Refused(*table);
    *world.err << Problems(args.file, *table);
    if (!json) PrintPreview(session, *table, foreseen);
    const absl::Status problems = refused == 0 ? absl::OkStatus() : absl::InvalidArgumentError("");
    if (args.dry_run || !world.in_is_terminal) {
      if (json) {
        *world.out << "{\"rows\":" << foreseen.size() << ",\"rang_again\":" << would.rang_again << ",\"refused\":" << refused
                   << "}\n";
      } else {
        *world.out << would.created << " to take in, " << would.rang_again << " ring again, " << refused
                   << " refused; nothing was done" << (args.dry_run ? "" : ", --yes does it") << "\n";
      }
      return problems;
    }
    if (foreseen.empty()) return problems;
    RB_RETURN_IF_ERROR(Confirm(absl::StrCat("Take in ", foreseen.size(), " callers?"), false, world));
  }
  // What was told before is not told again.
  CallerTable left = *table;
  std::erase_if(left.rows, [&](const CallerRow& row) { return !args.yes && !row.problem.empty(); });
  const auto outcome = TakeIn(session, &left);
  *world.err << Problems(args.file, left);
  RB_RETURN_IF_ERROR(outcome.status());
  const int refused = Refused(left) + static_cast<int>(table->rows.size() - left.rows.size());
  if (json) {
    *world.out << "{\"created\":" << outcome->created << ",\"rang_again\":" << outcome->rang_again << ",\"refused\":" << refused
               << "}\n";
  } else {
    *world.out << outcome->created << " taken in, " << outcome->rang_again << " rang again, " << refused << " refused\n";
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
  CLI::Option* const dry_run = command->add_flag("--dry-run", args->dry_run, "Only show what would be taken in, as the server would do it");
  command->add_flag("--yes", args->yes, "Do not show it and do not ask")->excludes(dry_run);
  commands.OnServer(command, [args](Session& session) { return Import(session, *args); });
}

}  // namespace ringback::cli
