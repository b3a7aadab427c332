/**
 * A server that does nothing but write entries, eight at a time, and prints the ID of each one as
 * soon as it is told that the entry is stored. It goes on until it is killed.
 */
import { writeSync } from 'node:fs'
import { openStore } from '../../../../server/store/sqlite/open-store.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { idOf, newEntry } from '../../entries/sample-entry.ts'

const store = await openStore({
  path: process.argv[2] ?? '',
  clock: systemClock,
  lockWaitMs: 20,
})
const stdout = 1

async function writeForEver(writer: number): Promise<never> {
  for (let i = 0; ; i++) {
    const [result] = await store.entries.create([
      newEntry({ id: `${writer}-${i}`, spiffeId: idOf(`/w/${writer}/${i}`) }),
    ])
    if (result?.kind !== 'created') throw new Error(`not created: ${JSON.stringify(result)}`)
    writeSync(stdout, `${result.entry.id}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, (_, writer) => writeForEver(writer)))
