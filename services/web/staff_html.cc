#include "web/staff_html.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/ids.h"
#include "web/page_html.h"

namespace ringback::web {
namespace {

const std::string& Style() {
  static const auto& style = *new std::string(CompiledTemplates().at("page.css") + CompiledTemplates().at("sign_in.css"));
  return style;
}

// No script, nothing from elsewhere, forms to here alone.
const std::string& Policy() {
  static const auto& policy = *new std::string(
      absl::StrCat("default-src 'none'; style-src 'sha256-", absl::Base64Escape(absl::HexStringToBytes(Sha256Hex(Style()))),
                   "'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"));
  return policy;
}

// "no-referrer" would make browsers send "Origin: null" with the pages' own forms.
void TellOwnPagesAlone(http::HttpResponse* response) {
  for (auto& [name, value] : response->headers) {
    if (name == "Referrer-Policy") value = "same-origin";
  }
}

}  // namespace

http::HttpResponse StaffPage(int status, std::string route, const std::string& page, domain::Language language,
                             words::TemplateValues values) {
  const std::string folder = absl::StrCat(domain::LanguageTag(language), "/");
  values.texts["language"] = domain::LanguageTag(language);
  values.texts["css"] = Style();
  values.texts[page] = "1";
  values.partials["main"] = CompiledTemplates().at(folder + page);
  values.partials["title"] = CompiledTemplates().at(folder + "staff_title");
  auto html = words::RenderTemplate(CompiledTemplates().at("staff_layout"), values, words::Escaping::kHtml);
  RB_CHECK(html.ok());
  http::HttpResponse response = http::NewResponse(status, std::move(route));
  TellOwnPagesAlone(&response);
  response.headers.emplace_back("Content-Type", "text/html; charset=utf-8");
  response.headers.emplace_back("Content-Security-Policy", Policy());
  response.body = *std::move(html);
  return response;
}

http::HttpResponse StaffSeeOther(std::string route, const std::string& target) {
  http::HttpResponse response = http::NewResponse(303, std::move(route));
  TellOwnPagesAlone(&response);
  response.headers.emplace_back("Location", target);
  return response;
}

}  // namespace ringback::web
