// What failed in reports of vitest (the JSON files that are named), each with the first lines of its reason: somebody
// who has only the end of a long run should find it there. Plain JavaScript, for the machine's own Node may be older.
import { existsSync, readFileSync } from 'node:fs'

const LINES = 12
const shortened = (text) => text.split('\n').slice(0, LINES).join('\n')

for (const report of process.argv.slice(2).filter(existsSync)) {
  for (const file of JSON.parse(readFileSync(report, 'utf8')).testResults) {
    const failed = file.assertionResults.filter(({ status }) => status === 'failed')
    for (const { fullName, failureMessages } of failed) {
      console.log(`== failed: ${file.name}: ${fullName}\n${shortened(failureMessages.join('\n'))}`)
    }
    if (file.status === 'failed' && failed.length === 0) console.log(`== failed: ${file.name}\n${shortened(file.message)}`)
  }
}
