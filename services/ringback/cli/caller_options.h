// --name, --company, --phone, --email, --language and --time-zone, as several commands take them.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "ringback/cli/given_options.h"
#include "ringback/v1/callback.pb.h"

namespace ringback::cli {

struct CallerOptions {
  std::string name, company, phone, email, language, time_zone;
  GivenOptions given;

  // `with_email` false where the command takes the address another way.
  void AddTo(CLI::App* command, bool with_email = true) {
    given.Field(command->add_option("--name", name, "As to be greeted: \"Herr Müller\""), "name");
    given.Field(command->add_option("--company", company, "Firm"), "company");
    given.Field(command->add_option("--phone", phone, "Number; without +49… in the server's region"), "phone");
    if (with_email) given.Field(command->add_option("--email", email, "Mail address"), "email");
    given.Field(command->add_option("--language", language, "de or en; else the team's"), "language");
    given.Field(command->add_option("--time-zone", time_zone, "Europe/Berlin, …; else the team's"), "time_zone");
  }
  bool CanBeReached() const { return !name.empty() || !phone.empty() || !email.empty(); }
  v1::Caller ToProto() const {
    v1::Caller caller;
    caller.set_name(name);
    caller.set_company(company);
    caller.set_phone(phone);
    caller.set_email(email);
    caller.set_language(language);
    caller.set_time_zone(time_zone);
    return caller;
  }
};

}  // namespace ringback::cli
