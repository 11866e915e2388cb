// What members see without a script: sign-in, and who one is. The team's own pages are staff_pages.h's. Fills the compiled-in templates; the customer's page is
// page_html.h's.
#pragma once

#include <string>

#include "core/http/http_message.h"
#include "core/domain/time_words.h"
#include "core/words/template_mustache.h"

namespace ringback::web {

// templates/<language>/<page>.mustache within templates/staff_layout.mustache; `values` fill it. A template that is broken
// is a bug, which a test would find.
http::HttpResponse StaffPage(int status, std::string route, const std::string& page, domain::Language language,
                             words::TemplateValues values);

// 303: the browser goes on with a GET, and tells the page that it came from here.
http::HttpResponse StaffSeeOther(std::string route, const std::string& target);

}  // namespace ringback::web
