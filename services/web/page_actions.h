// What the customer presses: from a posted form to one commit, and back to the page. What each of it means is domain's;
// nothing is changed by any other way (law 7).
//
// A press is taken when the form came from this very page (its key, form_key.h, and the browser's word where it sends one),
// was made for this callback and purpose, and the client has not pressed too often. It is done once: the form's random part
// and its content make the commit id. What was done leads back to the page by a redirect; what was refused shows the page
// as it is now, with the reason above it and what was written still there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/domain/rules.h"
#include "core/http/form.h"
#include "web/page_answers.h"

namespace ringback::web {

class PageActions {
 public:
  // `parts` must outlive it.
  explicit PageActions(const RouteParts& parts) : parts_(parts) {}

  // "agree", "time", "brief", "off", "wrong", "heard": what stands behind the token in a form's address.
  static bool Takes(std::string_view part);

  // One press, understood.
  struct Press {
    std::string purpose;             // of the form's key
    std::string content;             // with the key it makes the commit id
    std::vector<domain::Command> commands;
    std::optional<absl::Time> slot;  // must be free
    std::string brief;               // the words alone
    Told refused = Told::kNone;      // anything else: nothing is to be done
    const char* done = "";           // for the redirect
  };

  // For a `part` that it takes. A token that opens nothing gets the same answer as a GET. Blocks; thread-safe.
  HttpResponse Post(const HttpRequest& request, std::string_view token, std::string_view part) const;

 private:
  absl::Status Do(const Press& press, std::string_view token, const std::string& commit_id, const PageRecords& records,
                  absl::Time now) const;
  // The page the form is on, with why it was not taken and what was written.
  HttpResponse Again(const HttpRequest& request, std::string_view token, std::string_view part, const http::Form& form,
                     const PageRecords& records, Told trouble) const;
  bool MayPost(const std::string& peer, const std::string& callback_id) const;

  const RouteParts& parts_;
};

// What a page says when it was led to by "?done=WORD": only what is true of the records.
Told DoneOf(std::string_view query, const PageRecords& records);

}  // namespace ringback::web
