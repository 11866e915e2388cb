// --name, --company, --phone, --email, --language and --time-zone, as several commands take them.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "ringback/v1/callback.pb.h"

namespace ringback::cli {

struct CallerOptions {
  std::string name, company, phone, email, language, time_zone;

  // `with_email` false where the command takes the address another way.
  void AddTo(CLI::App* command, bool with_email = true) {
    command->add_option("--name", name, "As to be greeted: \"Herr Müller\"");
    command->add_option("--company", company, "Firm");
    command->add_option("--phone", phone, "Number; without +49… in the server's region");
    if (with_email) command->add_option("--email", email, "Mail address");
    command->add_option("--language", language, "de or en; else the team's");
    command->add_option("--time-zone", time_zone, "Europe/Berlin, …; else the team's");
  }
  bool CanBeReached() const { return !name.empty() || !phone.empty() || !email.empty(); }
  bool Empty() const { return !CanBeReached() && company.empty() && language.empty() && time_zone.empty(); }
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
