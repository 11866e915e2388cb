// The program ringback-ingest: callers, recordings, teams and contacts come in.
#include "ingest/app.h"
#include "core/runtime/service_main.h"

int main(int argc, char** argv) { return ringback::runtime::ServiceMain(argc, argv, {ringback::ingest::RunIngest}); }
