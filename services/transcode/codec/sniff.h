// Which of the allowed container formats some bytes are, by their first bytes alone. Parsing is the decoder's work.
#pragma once

#include <string_view>

namespace ringback::transcode {

enum class Container { kUnknown, kWav, kFlac, kMp3, kOgg, kWebm, kMp4, kAmr };

Container Sniff(std::string_view bytes);
// "wav", "webm", …; "" for kUnknown.
std::string_view ContainerName(Container container);

// Whether an Ogg file ends inside a page (RFC 3533): its end was cut off.
bool OggEndsInsidePage(std::string_view bytes);
// Whether a WAV file has fewer samples than its header claims. Recorders that stream leave the size open (0 or all ones),
// which claims nothing.
bool WavEndsInsideData(std::string_view bytes);

}  // namespace ringback::transcode
