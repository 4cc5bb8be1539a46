// Who paints: a user for the eyes of others, and a client with its count of placements, by which a
// node recognises a retry.

const USER_KEY = 'parley-user';
const CLIENT_KEY = 'parley-client';
const MAX_SEQ = 2 ** 32 - 1;

interface Client {
  client: number; // 0 to 2^53 - 1
  seq: number; // of the next placement, from 1
}

export class Identity {
  readonly user = rememberedUser();
  private current: Client;

  /** `keep`: the client is that of this tab's page before; else a new one. */
  constructor(keep = true) {
    this.current = (keep ? takeClient() : null) ?? newClient();
    if (!keep) return;
    // A number in use is taken out of the tab's memory, which a duplicated tab begins with: two tabs
    // with one number would take each other's placements for retries. It is put back for the next
    // page of this tab, since a node keeps a session for every number that it has ever seen.
    addEventListener('pagehide', () => write(sessionStorage, CLIENT_KEY, JSON.stringify(this.current)));
    addEventListener('pageshow', (event) => {
      if (event.persisted) this.current = takeClient() ?? newClient();
    });
  }

  /** The next placement's client and number, used once and for its retries. */
  next(): {client: number; seq: number} {
    if (this.current.seq > MAX_SEQ) this.current = newClient();
    return {client: this.current.client, seq: this.current.seq++};
  }
}

function random32(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}

function newClient(): Client {
  return {client: (random32() & 0x1fffff) * 2 ** 32 + random32(), seq: 1};
}

function takeClient(): Client | null {
  try {
    const {client, seq} = JSON.parse(sessionStorage.getItem(CLIENT_KEY) ?? 'null') as Client;
    sessionStorage.removeItem(CLIENT_KEY);
    const good = Number.isSafeInteger(client) && client >= 0 && Number.isSafeInteger(seq) && seq >= 1;
    return good ? {client, seq} : null;
  } catch {
    return null;
  }
}

function rememberedUser(): number {
  try {
    const known = Number(localStorage.getItem(USER_KEY));
    if (Number.isInteger(known) && known >= 1 && known < 2 ** 32) return known;
  } catch {
    // A private window remembers nothing.
  }
  const user = random32() || 1; // 0 stands for nobody
  write(localStorage, USER_KEY, String(user));
  return user;
}

function write(storage: Storage, key: string, value: string): void {
  try {
    storage.setItem(key, value);
  } catch {
    // Full or forbidden: forgotten with the page.
  }
}
