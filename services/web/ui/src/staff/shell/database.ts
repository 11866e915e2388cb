// This browser's database (IndexedDB), of pages and service worker: the last state of the desk, and takes that are not sent
// yet. What they hold: memory.ts, desk/takes.ts.

let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  return (opened ??= new Promise((resolve, reject) => {
    const open = indexedDB.open("ringback", 1);
    open.onupgradeneeded = () => {
      open.result.createObjectStore("snapshot");
      open.result.createObjectStore("takes", { keyPath: "id" });
    };
    open.onsuccess = () => resolve(open.result);
    open.onerror = () => reject(open.error);
  }));
}

// One request of one store; done when it is on disk.
export async function stored<T>(store: string, mode: IDBTransactionMode, ask: (s: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await database();
  return new Promise((resolve, reject) => {
    const work = db.transaction(store, mode, { durability: "strict" });
    const request = ask(work.objectStore(store));
    work.oncomplete = () => resolve(request.result);
    work.onabort = work.onerror = () => reject(work.error ?? request.error);
  });
}

// Reads a record, changes it and writes it back, all in one transaction. `change` answers null to leave it as it is.
export async function changed<T>(store: string, key: string, change: (found: T) => T | null): Promise<T | null> {
  const db = await database();
  return new Promise((resolve, reject) => {
    const work = db.transaction(store, "readwrite", { durability: "strict" });
    const records = work.objectStore(store);
    let written: T | null = null;
    const read = records.get(key) as IDBRequest<T | undefined>;
    read.onsuccess = () => {
      written = read.result === undefined ? null : change(read.result);
      if (written) records.put(written);
    };
    work.oncomplete = () => resolve(written);
    work.onabort = work.onerror = () => reject(work.error);
  });
}
