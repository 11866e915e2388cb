// Fills the gateway's request and posts it.
#include "delivery/sms_gateway.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/utf8.h"
#include "delivery/mail_message.h"
#include "core/words/template_mustache.h"

namespace ringback::delivery {
namespace {

using words::CheckTemplate;
using words::Escaping;
using words::RenderTemplate;
using words::TemplateValues;

constexpr absl::string_view kHoles[] = {"to", "from", "text", "id"};

Escaping EscapingOf(const SmsGatewayOptions& options) {
  return options.content_type == "application/json" ? Escaping::kJson : Escaping::kPercent;
}

TemplateValues ValuesOf(const Sms& sms, const std::string& from) {
  return {.texts = {{"to", sms.to}, {"from", from}, {"text", sms.text}, {"id", sms.id}}};
}

absl::Status CheckHoles(absl::string_view field, const std::string& text) {
  RB_RETURN_IF_ERROR(CheckTemplate(text));
  for (size_t at = text.find("{{"); at != std::string::npos; at = text.find("{{", at + 2)) {
    const std::string name(absl::StripAsciiWhitespace(text.substr(at + 2, text.find("}}", at) - at - 2)));
    if (std::find(std::begin(kHoles), std::end(kHoles), name) == std::end(kHoles)) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, ": {{", name, "}} is unknown; there are {{to}}, {{from}}, {{text}} and {{id}}"));
    }
  }
  return absl::OkStatus();
}

bool IsE164(absl::string_view number) {
  return number.size() >= 4 && number.size() <= 16 && number[0] == '+' && number[1] != '0' &&
         std::all_of(number.begin() + 1, number.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
}

// The letters beyond ASCII of the GSM 7-bit default alphabet (3GPP TS 23.038, 6.2.1). Those of its extension table
// count twice.
constexpr absl::string_view kGsmLetters = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
constexpr absl::string_view kGsmTwice = "^{}\\[~]|€";
constexpr absl::string_view kNotGsm = "`\t";

}  // namespace

int SmsParts(absl::string_view text) {
  int gsm = 0;
  int ucs2 = 0;
  bool fits_gsm = true;
  for (size_t i = 0; i < text.size();) {
    const unsigned char lead = text[i];
    const size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const absl::string_view letter = text.substr(i, size);
    i += size;
    ucs2 += size == 4 ? 2 : 1;
    if (absl::StrContains(kGsmTwice, letter)) {
      gsm += 2;
    } else if (size == 1 ? !absl::StrContains(kNotGsm, letter) : absl::StrContains(kGsmLetters, letter)) {
      gsm += 1;
    } else {
      fits_gsm = false;
    }
  }
  const int units = fits_gsm ? gsm : ucs2;
  const int alone = fits_gsm ? 160 : 70;
  const int joined = fits_gsm ? 153 : 67;
  return units == 0 ? 0 : units <= alone ? 1 : (units + joined - 1) / joined;
}

absl::StatusOr<std::unique_ptr<SmsGateway>> SmsGateway::Create(const SmsGatewayOptions& options, HttpSender* http) {
  if (options.content_type != "application/json" && options.content_type != "application/x-www-form-urlencoded") {
    return absl::InvalidArgumentError(
        "sms.content_type: application/json or application/x-www-form-urlencoded is possible");
  }
  RB_RETURN_IF_ERROR(CheckHoles("sms.url", options.url));
  RB_RETURN_IF_ERROR(CheckHoles("sms.body", options.body));
  const std::string both = absl::StrCat(options.url, options.body);
  for (const char* needed : {"{{to}}", "{{text}}"}) {
    if (!absl::StrContains(both, needed)) {
      return absl::InvalidArgumentError(absl::StrCat("sms.body: ", needed, " must be in the body or the URL"));
    }
  }
  const Sms sample{.id = "dl00", .to = "+4930123456", .text = "text"};
  RB_ASSIGN_OR_RETURN(const std::string url,
                      RenderTemplate(options.url, ValuesOf(sample, options.from), Escaping::kPercent));
  RB_RETURN_IF_ERROR(CheckHttpUrl("sms.url", url));
  return std::unique_ptr<SmsGateway>(new SmsGateway(options, http));
}

SendOutcome SmsGateway::Send(const Sms& sms, absl::Duration deadline, const BeforeData& before_data) {
  const auto refuse = [](std::string reason) {
    return SendOutcome{.result = SendResult::kPermanent, .reason = std::move(reason)};
  };
  if (!IsE164(sms.to)) return refuse("the number is not in E.164 form (+4930123456)");
  if (sms.text.empty() || !IsUtf8(sms.text)) return refuse("the text is empty or no UTF-8");
  if (const int parts = SmsParts(sms.text); parts > options_.parts_max) {
    return refuse(absl::StrCat("the text needs ", parts, " messages, ", options_.parts_max, " are allowed"));
  }
  const TemplateValues values = ValuesOf(sms, options_.from);
  const absl::StatusOr<std::string> url = RenderTemplate(options_.url, values, Escaping::kPercent);
  const absl::StatusOr<std::string> body = RenderTemplate(options_.body, values, EscapingOf(options_));
  if (!url.ok()) return refuse(std::string(url.status().message()));
  if (!body.ok()) return refuse(std::string(body.status().message()));
  HttpPost post{.url = *url, .headers = {absl::StrCat("Content-Type: ", options_.content_type)}, .body = *body};
  if (!options_.authorization_file.empty()) {
    std::ifstream file(options_.authorization_file, std::ios::binary);
    const std::string value((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const absl::string_view trimmed = absl::StripAsciiWhitespace(value);
    if (trimmed.empty()) {
      return {.result = SendResult::kTemporary, .reason = "the file with the gateway's authorization cannot be read",
              .transport_fault = true};
    }
    post.headers.push_back(absl::StrCat("Authorization: ", trimmed));
  }
  return http_->Post(post, deadline, before_data);
}

}  // namespace ringback::delivery
