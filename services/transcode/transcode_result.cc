#include "transcode/transcode_result.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ringback::transcode {
namespace {

std::string Seconds(double seconds, bool german) {
  std::string text = absl::StrFormat("%.1f", seconds);
  if (german) std::replace(text.begin(), text.end(), '.', ',');
  return text;
}

}  // namespace

std::string_view FindingName(FindingCode code) {
  switch (code) {
    case FindingCode::kUnspecified: return "UNSPECIFIED";
    case FindingCode::kNotAudio: return "NOT_AUDIO";
    case FindingCode::kDecodeError: return "DECODE_ERROR";
    case FindingCode::kTruncated: return "TRUNCATED";
    case FindingCode::kTooShort: return "TOO_SHORT";
    case FindingCode::kTooLong: return "TOO_LONG";
    case FindingCode::kTooManyChannels: return "TOO_MANY_CHANNELS";
    case FindingCode::kNoSpeech: return "NO_SPEECH";
    case FindingCode::kTooQuiet: return "TOO_QUIET";
    case FindingCode::kClipped: return "CLIPPED";
    case FindingCode::kNoisy: return "NOISY";
    case FindingCode::kDecoderCrashed: return "DECODER_CRASHED";
    case FindingCode::kDecoderLimit: return "DECODER_LIMIT";
  }
  return "UNSPECIFIED";
}

std::string FindingText(const Finding& finding, std::string_view language) {
  const bool de = language.substr(0, 2) == "de";
  const double value = finding.value;
  const auto pick = [de](std::string_view german, std::string_view english) {
    return std::string(de ? german : english);
  };
  switch (finding.code) {
    case FindingCode::kNotAudio:
      return pick("keine Tonaufnahme: bitte WAV, FLAC, MP3, Ogg/Opus, WebM, MP4 (AAC) oder AMR",
                  "not a recording: please send WAV, FLAC, MP3, Ogg/Opus, WebM, MP4 (AAC) or AMR");
    case FindingCode::kDecodeError:
      return pick("beschädigt: die Aufnahme lässt sich nicht lesen, bitte neu aufnehmen",
                  "damaged: the recording cannot be read, please record it again");
    case FindingCode::kTruncated:
      return de ? absl::StrCat("unvollständig: die Aufnahme bricht nach ", Seconds(value, de),
                               " Sekunden ab, bitte die ganze Datei senden oder neu aufnehmen")
                : absl::StrCat("incomplete: the recording breaks off after ", Seconds(value, de),
                               " seconds, please send the whole file or record it again");
    case FindingCode::kTooShort:
      return de ? absl::StrCat("zu kurz: nur ", Seconds(value, de), " Sekunden")
                : absl::StrCat("too short: only ", Seconds(value, de), " seconds");
    case FindingCode::kTooLong:
      return de ? absl::StrCat("zu lang: höchstens ", Seconds(value, de), " Sekunden")
                : absl::StrCat("too long: at most ", Seconds(value, de), " seconds");
    case FindingCode::kTooManyChannels:
      return de ? absl::StrCat("zu viele Kanäle: ", static_cast<int64_t>(value))
                : absl::StrCat("too many channels: ", static_cast<int64_t>(value));
    case FindingCode::kNoSpeech:
      return pick("nichts zu hören: ist das richtige Mikrofon gewählt und eingeschaltet?",
                  "nothing to hear: is the right microphone chosen and switched on?");
    case FindingCode::kTooQuiet: return pick("leise: näher ans Mikrofon", "quiet: move closer to the microphone");
    case FindingCode::kClipped:
      return pick("übersteuert: weiter weg vom Mikrofon oder leiser stellen",
                  "clipped: move away from the microphone or turn it down");
    case FindingCode::kNoisy:
      return pick("Rauschen oder Lärm im Hintergrund: ein ruhiger Platz hilft",
                  "noise in the background: a quiet place helps");
    case FindingCode::kDecoderCrashed:
      return pick("die Aufnahme hat das Umwandeln zum Absturz gebracht: bitte neu aufnehmen",
                  "the recording crashed the converter: please record it again");
    case FindingCode::kDecoderLimit:
      return pick("die Aufnahme braucht zum Umwandeln zu viel Zeit oder Speicher: bitte neu aufnehmen",
                  "the recording takes too much time or memory to convert: please record it again");
    case FindingCode::kUnspecified: break;
  }
  return pick("unbekannter Befund", "unknown finding");
}

bool TranscodeResult::ok() const {
  return !opus.empty() && std::none_of(findings.begin(), findings.end(),
                                       [](const Finding& f) { return f.severity == Severity::kFatal; });
}

const Finding* TranscodeResult::Find(FindingCode code) const {
  for (const Finding& finding : findings) {
    if (finding.code == code) return &finding;
  }
  return nullptr;
}

}  // namespace ringback::transcode
