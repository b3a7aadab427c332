/** What is asked from inside of pods: by the Node of the image, or by the command of the proxy's container. */
import type { StoryContext } from '../../story.ts'

const NODE = '/usr/local/bin/node'
const STEEPLE = '/usr/local/bin/steeple'
/** Longer than half of a certificate's life in the story: each end renews its own meanwhile. */
const LOAD_SECONDS = 45

/** Asked from inside the pod. @returns the status and the body, or that it failed */
export async function ask(
  context: StoryContext,
  namespace: string,
  pod: string,
  url: string,
  container = 'app',
): Promise<string> {
  const script = `fetch(${JSON.stringify(url)}, { signal: AbortSignal.timeout(5000) })
    .then(async (answer) => console.log(answer.status + ' ' + (await answer.text())), (error) => console.log('failed ' + (error.cause ?? error)))`
  const words = ['exec', '-n', namespace, pod, '-c', container, '--', NODE, '-e', script]
  const { stdout, stderr, code } = await context.kubectl(words)
  if (code !== 0) throw new Error(`cannot run in ${pod}: ${stderr}`)
  return stdout.trim()
}

/** What the operator sees before STRICT. */
export async function plaintextCallers(
  context: StoryContext,
  namespace: string,
  pod: string,
): Promise<string> {
  const report = [STEEPLE, 'mtls', 'report', '-proxy', 'unix:/var/lib/steeple/admin.sock']
  const words = ['exec', '-n', namespace, pod, '-c', 'steeple-proxy', '--', ...report]
  // Its exit code says that STRICT would break somebody.
  const { stdout, stderr } = await context.kubectl(words)
  return `${stdout}${stderr}`
}

/** Asks again and again, over connections that are kept and over new ones. @returns how often; throws when one failed */
export async function load(
  context: StoryContext,
  namespace: string,
  pod: string,
  url: string,
): Promise<string> {
  const script = `const http = require('node:http')
    const kept = new http.Agent({ keepAlive: true, maxSockets: 4 })
    const end = Date.now() + ${LOAD_SECONDS * 1000}
    let [good, bad, why] = [0, 0, '']
    const one = (agent) => new Promise((done) => {
      const fail = (text) => { bad += 1; why = text; done() }
      http.get(${JSON.stringify(url)}, { agent }, (answer) => {
        answer.resume()
        answer.on('end', () => { answer.statusCode === 200 ? (good += 1) : fail(String(answer.statusCode)); done() })
      }).on('error', (error) => fail(String(error)))
    })
    const go = async (agent) => { while (Date.now() < end) { await one(agent); await new Promise((next) => setTimeout(next, 5)) } }
    Promise.all([go(kept), go(kept), go(false)]).then(() => console.log(good + ' ' + bad + ' ' + why))`
  const words = ['exec', '-n', namespace, pod, '-c', 'app', '--', NODE, '-e', script]
  const { stdout, stderr } = await context.kubectl(words)
  const [, good = '', bad = '', why = ''] = /^(\d+) (\d+) (.*)/.exec(stdout) ?? []
  if (bad !== '0') throw new Error(`${bad} of ${good} requests failed: ${why}${stderr}`)
  return `${good} requests while certificates were renewed, none failed`
}
