// What a form of the customer's page carries, so that only a form that this page made is taken, for what it was made, and
// once. The customer has no cookie: the key is the token in the page's address, which a foreign site does not know. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ringback::web {

struct FormKey {
  int revision = 0;   // of the promise that the page showed; 0: none
  std::string once;   // random; the same press twice has the same
};

// "3.<once>.<HMAC-SHA-256 over all of it, keyed by the page's token>": for a hidden field. `purpose` is the form's ("agree").
std::string SealFormKey(std::string_view token, std::string_view callback_id, std::string_view purpose, const FormKey& key);

// nullopt unless it was sealed with the same token for the same callback and purpose. Takes as long wherever it differs.
std::optional<FormKey> OpenFormKey(std::string_view token, std::string_view callback_id, std::string_view purpose,
                                   std::string_view sealed);

// The commit id of what a form asks for: the same form with the same content is one commit, whatever is pressed how often.
std::string CommitIdOf(std::string_view token, std::string_view purpose, const FormKey& key, std::string_view content);

}  // namespace ringback::web
