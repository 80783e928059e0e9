@echo off
rem Installs lode-agent for the user who runs it, without administrator rights, and starts it with every log-in.
rem It captures nothing before the person has said yes. Usage:
rem   install.cmd [SERVER KEY-FILE]
rem   install.cmd /uninstall
setlocal
set "LIB=%LOCALAPPDATA%\Programs\Lode"
set "RUN=HKCU\Software\Microsoft\Windows\CurrentVersion\Run"
if /i "%~1"=="/uninstall" goto uninstall
if not "%~1"=="" if "%~2"=="" goto usage
if not exist "%LIB%" mkdir "%LIB%"
rem A program that runs cannot be replaced, but it can be renamed.
if exist "%LIB%\lode-agent.exe" move /y "%LIB%\lode-agent.exe" "%LIB%\lode-agent.old.exe" >nul
copy /y "%~dp0lode-agent.exe" "%LIB%\lode-agent.exe" >nul
if errorlevel 1 goto failed
reg add "%RUN%" /v Lode /t REG_SZ /d "\"%LIB%\lode-agent.exe\" run" /f >nul
if errorlevel 1 goto failed
if "%~1"=="" goto done
"%LIB%\lode-agent.exe" enroll --server "%~1" --key-file "%~2"
if errorlevel 1 exit /b 1
:done
echo installed; it starts with the next log-in, or now with: "%LIB%\lode-agent.exe" run
exit /b 0

:uninstall
if exist "%LIB%\lode-agent.exe" "%LIB%\lode-agent.exe" quit >nul 2>&1
reg delete "%RUN%" /v Lode /f >nul 2>&1
rem It may take a moment to end; what cannot be deleted now is deleted when this is run again.
del /q "%LIB%\lode-agent.exe" "%LIB%\lode-agent.old.exe" >nul 2>&1
rmdir "%LIB%" >nul 2>&1
echo lode-agent is removed; what it recorded is in %LOCALAPPDATA%\Lode until you delete it
exit /b 0

:failed
echo cannot install into %LIB%: is the disk full, or does a client of another log-in run there? 1>&2
exit /b 1

:usage
echo usage: install.cmd [SERVER KEY-FILE] ^| /uninstall 1>&2
exit /b 2
