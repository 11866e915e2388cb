// Any bytes as a mail: it reads without a crash, within the limits, and what comes out passes the wire's own suspicion.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "delivery/mail_in/mail_wire.h"
#include "delivery/mail_in/read_mail.h"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  ringback::delivery::WarmUpMailReader();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ringback::delivery;
  MailLimits limits;
  if (size > 0) limits.headers_only = data[size - 1] == 'H';
  limits.text_bytes_max = 1 << 10;
  limits.file_bytes_max = 1 << 12;
  const ParsedMail mail = ReadMail(std::string(reinterpret_cast<const char*>(data), size), limits);
  if (mail.text.size() > limits.text_bytes_max || !DecodeMail(EncodeMail(mail)).ok()) abort();
  for (const MailFile& file : mail.files) {
    if (file.bytes.size() > limits.file_bytes_max) abort();
  }
  return 0;
}
