// contact: what the team knows of its callers; subject: one person's data, exported or erased.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "ringback/cli/caller_options.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/csv.h"
#include "ringback/cli/print.h"
#include "ringback/cli/progress.h"

namespace ringback::cli {
namespace {

absl::Status Put(Session& session, const v1::Caller& caller, const google::protobuf::FieldMask& mask,
                 v1::PutContactResponse* response) {
  v1::PutContactRequest request;
  request.set_request_id(session.NewRequestId());
  RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
  *request.mutable_caller() = caller;
  *request.mutable_update_mask() = mask;
  return session.Call([&](auto* context) { return session.contacts().PutContact(context, request, response); });
}

void PrintContact(Session& session, const v1::Contact& contact) {
  const v1::Caller& caller = contact.caller();
  Fields fields;
  fields.Add("contact", contact.id());
  fields.Add("name", caller.name(), Colour::kBold);
  fields.Add("company", caller.company());
  fields.Add("phone", caller.phone());
  fields.Add("email", caller.email());
  fields.Add("language", caller.language());
  fields.Add("time zone", caller.time_zone());
  fields.Add("changed", When(session, contact.has_update_time(), contact.update_time()));
  fields.Print(*session.world().out, session.world().ColourOut());
}

void AddAdd(Commands& commands, CLI::App* contact) {
  auto caller = std::make_shared<CallerOptions>();
  CLI::App* command = contact->add_subcommand("add", "Add a contact, or change the one with this phone or mail; \"\" empties a field");
  caller->AddTo(command);
  commands.OnServer(command, [caller](Session& session) -> absl::Status {
    if (caller->phone.empty() && caller->email.empty()) return UsageError("say at least --phone or --email");
    v1::PutContactResponse response;
    RB_RETURN_IF_ERROR(Put(session, caller->ToProto(), caller->given.Mask(), &response));
    if (session.options().json) {
      *session.world().out << ToJson(response) << "\n";
    } else {
      *session.world().out << response.contact().id() << "  " << Printable(CallerWords(response.contact().caller()))
                           << (response.created() ? ": added\n" : ": changed\n");
    }
    return absl::OkStatus();
  });
}

// Goes on behind a bad row: a list of a thousand with one wrong number is 999 contacts and one line to mend.
absl::Status Import(Session& session, const std::string& file) {
  World& world = session.world();
  RB_ASSIGN_OR_RETURN(const std::string text, ReadFile(file, int64_t{64} << 20, world));
  const absl::StatusOr<ContactTable> table = ReadContacts(text);
  if (!table.ok()) return absl::InvalidArgumentError(absl::StrCat(file, ": ", table.status().message()));
  if (!table->unknown_columns.empty()) {
    *world.err << "ringback: contact import: columns that mean nothing here are left out: "
               << Printable(absl::StrJoin(table->unknown_columns, ", ")) << "\n";
  }
  int created = 0, completed = 0, refused = 0;
  {
    std::string problems;  // written behind the bar, not through it
    {
      Progress progress("importing", text.size(), world);
      for (size_t i = 0; i < table->rows.size(); ++i) {
        const ContactRow& row = table->rows[i];
        v1::PutContactResponse response;
        const absl::Status status = Put(session, row.caller, {}, &response);
        if (absl::IsUnavailable(status) || absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status)) {
          return status;
        }
        if (status.ok()) {
          ++(response.created() ? created : completed);
        } else {
          ++refused;
          absl::StrAppend(&problems, "ringback: contact import: ", file, ":", row.line, ": ", ErrorWords(status), "\n");
        }
        progress.At(text.size() * (i + 1) / table->rows.size());
      }
    }
    *world.err << problems;
  }
  if (session.options().json) {
    *world.out << "{\"created\":" << created << ",\"completed\":" << completed << ",\"refused\":" << refused << "}\n";
  } else {
    *world.out << created << " added, " << completed << " completed, " << refused << " refused\n";
  }
  return refused == 0 ? absl::OkStatus() : absl::InvalidArgumentError("");
}

void AddImport(Commands& commands, CLI::App* contact) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = contact->add_subcommand("import", "Add the contacts of a CSV file; the first line names the columns");
  command->add_option("FILE", *file, "name, company, phone, email, language, time_zone; German headings do; - reads standard input")->required();
  commands.OnServer(command, [file](Session& session) { return Import(session, *file); });
}

void AddShow(Commands& commands, CLI::App* contact) {
  auto who = std::make_shared<std::string>();
  CLI::App* command = contact->add_subcommand("show", "One contact");
  command->add_option("WHO", *who, "Number, mail address or id")->required();
  commands.OnServer(command, [who](Session& session) -> absl::Status {
    v1::GetContactRequest request;
    v1::GetContactResponse response;
    RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
    request.set_who(*who);
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return session.contacts().GetContact(context, request, &response); }));
    if (session.options().json) {
      *session.world().out << ToJson(response) << "\n";
    } else {
      PrintContact(session, response.contact());
    }
    return absl::OkStatus();
  });
}

void AddList(Commands& commands, CLI::App* contact) {
  CLI::App* command = contact->add_subcommand("list", "Every contact");
  commands.OnServer(command, [](Session& session) -> absl::Status {
    v1::ListContactsRequest request;
    v1::ListContactsResponse all;
    RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
    request.set_page_size(500);
    do {
      v1::ListContactsResponse page;
      RB_RETURN_IF_ERROR(
          session.Call([&](auto* context) { return session.contacts().ListContacts(context, request, &page); }));
      all.mutable_contacts()->MergeFrom(page.contacts());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    if (session.options().json) {
      *session.world().out << ToJson(all) << "\n";
      return absl::OkStatus();
    }
    Table table({"ID", "NAME", "COMPANY", "PHONE", "EMAIL", "LANGUAGE", "TIME ZONE"});
    for (const v1::Contact& contact : all.contacts()) {
      const v1::Caller& caller = contact.caller();
      table.Row({contact.id(), caller.name(), caller.company(), caller.phone(), caller.email(), caller.language(),
                 caller.time_zone()});
    }
    table.Print(*session.world().out, session.world().ColourOut());
    return absl::OkStatus();
  });
}

void AddSubject(Commands& commands) {
  CLI::App* subject = commands.app().add_subcommand("subject", "One person's data: export, erase");
  subject->require_subcommand(1);
  struct Args {
    std::string who;
    bool yes = false;
  };
  auto args = std::make_shared<Args>();
  CLI::App* export_command = subject->add_subcommand("export", "Everything kept about one person, as JSON");
  export_command->add_option("WHO", args->who, "Number, mail address, callback or contact id")->required();
  commands.OnServer(export_command, [args](Session& session) -> absl::Status {
    v1::ExportSubjectRequest request;
    v1::ExportSubjectResponse response;
    RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
    request.set_who(args->who);
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return session.contacts().ExportSubject(context, request, &response); }));
    // The document that the person gets; --json adds nothing to it.
    *session.world().out << (response.json().empty() ? ToJson(response) : response.json()) << "\n";
    return absl::OkStatus();
  });
  CLI::App* erase = subject->add_subcommand("erase", "Erase one person: callbacks, recordings, mails, contact");
  erase->add_option("WHO", args->who, "Number, mail address, callback or contact id")->required();
  erase->add_flag("--yes", args->yes, "Do not ask");
  commands.OnServer(erase, [args](Session& session) -> absl::Status {
    RB_RETURN_IF_ERROR(Confirm(absl::StrCat("Erase everything kept about ", Printable(args->who), "? There is no way back."),
                               args->yes, session.world()));
    v1::EraseSubjectRequest request;
    v1::EraseSubjectResponse response;
    request.set_request_id(session.NewRequestId());
    RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
    request.set_who(args->who);
    RB_RETURN_IF_ERROR(session.Call(
        [&](auto* context) { return session.contacts().EraseSubject(context, request, &response); }, As::kMember,
        absl::Minutes(5)));
    if (session.options().json) {
      *session.world().out << ToJson(response) << "\n";
    } else {
      *session.world().out << "erased: " << response.callbacks() << " callbacks emptied, " << response.contacts()
                           << " contacts, " << response.recordings() << " recordings and "
                           << response.answers() << " mails removed; gone from disk within a day\n";
    }
    return absl::OkStatus();
  });
}

}  // namespace

void AddPeopleCommands(Commands& commands) {
  CLI::App* contact = commands.app().add_subcommand("contact", "What the team knows of its callers");
  contact->require_subcommand(1);
  AddAdd(commands, contact);
  AddImport(commands, contact);
  AddShow(commands, contact);
  AddList(commands, contact);
  AddSubject(commands);
}

}  // namespace ringback::cli
