/* Stands for a browser: starts what its arguments name, which speaks with whoever started this one, and ends with it. */
#include <shlwapi.h>
#include <windows.h>

int wmain(void) {
    STARTUPINFOW how = {.cb = sizeof how, .dwFlags = STARTF_USESTDHANDLES};
    how.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    how.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    how.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    HANDLE passed[] = {how.hStdInput, how.hStdOutput, how.hStdError};
    for (int at = 0; at < 3; at++) SetHandleInformation(passed[at], HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    PROCESS_INFORMATION started;
    if (!CreateProcessW(NULL, PathGetArgsW(GetCommandLineW()), NULL, NULL, TRUE, 0, NULL, NULL, &how, &started)) return 1;
    for (int at = 0; at < 3; at++) CloseHandle(passed[at]);
    WaitForSingleObject(started.hProcess, INFINITE);
    return 0;
}
