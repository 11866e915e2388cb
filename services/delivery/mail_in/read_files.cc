#include "delivery/mail_in/read_files.h"

#include "delivery/mail_in/mail_text.h"

namespace ringback::delivery {
namespace {

struct Known {
  const char* ending;
  const char* type;
};
// No SVG: it can carry scripts.
constexpr Known kKnown[] = {{".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"}, {".png", "image/png"},   {".gif", "image/gif"},
                            {".webp", "image/webp"}, {".heic", "image/heic"}, {".heif", "image/heif"}, {".tif", "image/tiff"},
                            {".tiff", "image/tiff"}, {".bmp", "image/bmp"},   {".pdf", "application/pdf"}};

std::string ByEnding(std::string_view file_name) {
  const std::string lower = Lower(file_name);
  for (const Known& known : kKnown) {
    const std::string_view ending = known.ending;
    if (lower.size() > ending.size() && lower.compare(lower.size() - ending.size(), ending.size(), ending) == 0) return known.type;
  }
  return "";
}

// "image/jpg", "application/x-pdf": as some programs call them.
std::string Canonical(std::string_view media_type) {
  const std::string lower = Lower(Trim(media_type));
  if (lower == "image/jpg" || lower == "image/pjpeg") return "image/jpeg";
  if (lower == "image/x-png") return "image/png";
  if (lower == "application/x-pdf") return "application/pdf";
  if (lower == "image/x-ms-bmp") return "image/bmp";
  for (const Known& known : kKnown) {
    if (lower == known.type) return lower;
  }
  return "";
}

bool IsUnknown(std::string_view media_type) {
  const std::string lower = Lower(Trim(media_type));
  return lower.empty() || lower == "application/octet-stream" || lower == "application/binary" || lower == "binary/octet-stream";
}

bool Begins(std::string_view bytes, std::string_view with) { return bytes.substr(0, with.size()) == with; }

}  // namespace

std::string TypeByBytes(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (Begins(bytes, "\xFF\xD8\xFF"sv)) return "image/jpeg";
  if (Begins(bytes, "\x89PNG\r\n\x1A\n"sv)) return "image/png";
  if (Begins(bytes, "GIF87a"sv) || Begins(bytes, "GIF89a"sv)) return "image/gif";
  if (Begins(bytes, "RIFF"sv) && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP") return "image/webp";
  if (Begins(bytes, "II*\0"sv) || Begins(bytes, "MM\0*"sv)) return "image/tiff";
  if (Begins(bytes, "BM"sv) && bytes.size() > 26) return "image/bmp";
  if (bytes.size() >= 12 && bytes.substr(4, 4) == "ftyp") {
    const std::string_view brand = bytes.substr(8, 4);
    if (brand == "heic" || brand == "heix" || brand == "hevc" || brand == "heim" || brand == "heis") return "image/heic";
    if (brand == "mif1" || brand == "msf1") return "image/heif";
  }
  // Readers find the mark within the first kilobyte (ISO 32000-1, annex H).
  if (bytes.substr(0, 1024).find("%PDF-") != std::string_view::npos) return "application/pdf";
  return "";
}

std::string KeptType(std::string_view media_type, std::string_view file_name, std::string_view bytes) {
  std::string said = Canonical(media_type);
  if (said.empty() && IsUnknown(media_type)) said = ByEnding(file_name);
  if (said.empty()) return "";
  const std::string is = TypeByBytes(bytes);
  const bool both_heif = (said == "image/heic" || said == "image/heif") && (is == "image/heic" || is == "image/heif");
  return is == said || both_heif ? said : "";
}

bool MayBeKept(std::string_view media_type, std::string_view file_name) {
  return !Canonical(media_type).empty() || (IsUnknown(media_type) && !ByEnding(file_name).empty());
}

std::string CleanFileName(std::string_view name) {
  const size_t path = name.find_last_of("/\\");
  std::string clean = CleanLine(path == std::string_view::npos ? name : name.substr(path + 1), 200);
  while (!clean.empty() && clean.front() == '.') clean.erase(0, 1);
  return clean.empty() ? "file" : clean;
}

}  // namespace ringback::delivery
