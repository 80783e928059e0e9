/* A window with a field, a password field and a button that gives it another title; the first title is the argument. */
#include <windows.h>

enum { FIELD = 101, PASSWORD = 102, SAVE = 103 };

static LRESULT CALLBACK on_message(HWND window, UINT message, WPARAM first, LPARAM second) {
    if (message == WM_COMMAND && LOWORD(first) == SAVE) SetWindowTextW(window, L"Order is saved");
    if (message == WM_DESTROY) PostQuitMessage(0);
    return DefWindowProcW(window, message, first, second);
}

int WINAPI wWinMain(HINSTANCE module, HINSTANCE before, PWSTR arguments, int show) {
    WNDCLASSW class = {.lpfnWndProc = on_message, .hInstance = module, .lpszClassName = L"LodeFields",
                       .hbrBackground = (HBRUSH)(COLOR_BTNFACE + 1)};
    RegisterClassW(&class);
    HWND window = CreateWindowW(L"LodeFields", *arguments ? arguments : L"Fields", WS_OVERLAPPEDWINDOW, 100, 100, 420, 260,
                                NULL, NULL, module, NULL);
    DWORD child = WS_CHILD | WS_VISIBLE | WS_TABSTOP;
    CreateWindowW(L"EDIT", L"", child | WS_BORDER, 20, 20, 300, 28, window, (HMENU)FIELD, module, NULL);
    CreateWindowW(L"EDIT", L"", child | WS_BORDER | ES_PASSWORD, 20, 70, 300, 28, window, (HMENU)PASSWORD, module, NULL);
    CreateWindowW(L"BUTTON", L"&Save order", child, 20, 120, 140, 32, window, (HMENU)SAVE, module, NULL);
    ShowWindow(window, SW_SHOWNORMAL);
    MSG message;
    while (GetMessageW(&message, NULL, 0, 0) > 0) {
        TranslateMessage(&message);
        DispatchMessageW(&message);
    }
    return 0;
}
