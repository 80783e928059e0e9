// The part of the browser's extension interface that we use, as types; so that no package is needed for them.

declare namespace chrome {
  interface Listened<Arguments extends unknown[]> {
    addListener(listener: (...given: Arguments) => void): void;
  }

  namespace runtime {
    interface Sender {
      tab?: tabs.Tab;
      frameId?: number;
    }
    interface Port {
      name: string;
      sender?: Sender;
      /** Firefox: why it was closed. */
      error?: { message?: string } | null;
      postMessage(message: unknown): void;
      disconnect(): void;
      onMessage: Listened<[message: never]>;
      onDisconnect: Listened<[port: Port]>;
    }
    const id: string | undefined;
    const lastError: { message?: string } | undefined;
    const onConnect: Listened<[port: Port]>;
    const onInstalled: Listened<[details: { reason: string }]>;
    const onStartup: Listened<[]>;
    const onUpdateAvailable: Listened<[]>;
    function connect(options: { name: string }): Port;
    function connectNative(host: string): Port;
    function getManifest(): { version: string };
    function reload(): void;
    const onMessage: {
      addListener(
        listener: (message: { ask?: string }, sender: Sender, reply: (answer: unknown) => void) => boolean | void,
      ): void;
    };
    function sendMessage(message: unknown): Promise<never>;
  }

  namespace tabs {
    interface Tab {
      id?: number;
      windowId: number;
      active: boolean;
      url?: string;
      title?: string;
    }
    const onActivated: Listened<[active: { tabId: number; windowId: number }]>;
    const onCreated: Listened<[tab: Tab]>;
    const onRemoved: Listened<[tabId: number]>;
    const onUpdated: Listened<[tabId: number, change: { url?: string; title?: string; status?: string }, tab: Tab]>;
    function query(query: { active?: boolean; windowId?: number; lastFocusedWindow?: boolean; url?: string[] }): Promise<Tab[]>;
    function get(tabId: number): Promise<Tab>;
  }

  namespace windows {
    const onFocusChanged: Listened<[windowId: number]>;
    function getLastFocused(filter: { windowTypes: string[] }): Promise<{ id?: number }>;
  }

  namespace webNavigation {
    interface Navigated {
      tabId: number;
      frameId: number;
    }
    const onHistoryStateUpdated: Listened<[navigated: Navigated]>;
    const onReferenceFragmentUpdated: Listened<[navigated: Navigated]>;
  }

  namespace downloads {
    const onCreated: Listened<[item: { url: string; referrer?: string; startTime: string; incognito: boolean }]>;
  }

  namespace scripting {
    function executeScript(injection: {
      target: { tabId: number; allFrames: boolean };
      files: string[];
    }): Promise<unknown>;
  }

  namespace alarms {
    const onAlarm: Listened<[]>;
    function create(name: string, when: { periodInMinutes: number }): Promise<void>;
  }

  namespace storage {
    interface Area {
      get(keys: Record<string, unknown>): Promise<never>;
      set(values: Record<string, unknown>): Promise<void>;
      remove(key: string): Promise<void>;
    }
    const session: Area;
    const local: Area;
    const managed: Area;
    const onChanged: Listened<[changes: Record<string, unknown>, area: string]>;
  }

  namespace action {
    function setBadgeText(badge: { tabId: number; text: string }): Promise<void>;
    function setBadgeBackgroundColor(badge: { color: string }): Promise<void>;
  }

  namespace i18n {
    function getMessage(key: string): string;
    function getUILanguage(): string;
  }

  namespace dom {
    function openOrClosedShadowRoot(element: HTMLElement): ShadowRoot | null;
  }
}
