// The program ringback-transcode: recordings become renditions.
#include "transcode/app.h"
#include "core/runtime/service_main.h"

int main(int argc, char** argv) { return ringback::runtime::ServiceMain(argc, argv, {ringback::transcode::RunTranscode}); }
