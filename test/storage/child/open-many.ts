/** A worker that, together with its siblings, opens one new database after another, each at the same moment. */
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { openSqliteStore } from '../../../src/storage/open-store.ts'

const { arrivals, workers, databases, folder } = workerData
const arrived = new Int32Array(arrivals)
const refused: string[] = []
for (let database = 0; database < databases; database += 1) {
  const everybody = workers * (database + 1)
  Atomics.add(arrived, 0, 1)
  // Spins, because waking from a wait takes longer than the moment in which the openings must meet.
  while (Atomics.load(arrived, 0) < everybody);
  try {
    await (await openSqliteStore({ path: join(folder, `${database}.db`) })).close()
  } catch (error) {
    refused.push(String(error))
  }
}
parentPort?.postMessage(refused)
