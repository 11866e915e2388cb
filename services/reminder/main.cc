// The program ringback-reminder: fires what is due.
#include "reminder/app.h"
#include "core/runtime/service_main.h"

int main(int argc, char** argv) { return ringback::runtime::ServiceMain(argc, argv, {ringback::reminder::RunReminder}); }
