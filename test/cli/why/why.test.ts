/** `steeple why` at an agent and a server that say what they are told. */
import { expect, test } from 'vitest'
import { systemClock, unixSeconds } from '../../../spiffe/clock.ts'
import { run } from '../run.ts'
import { openScriptedServer, type Script } from '../scripted-server.ts'

const domain = 'example.org'
const id = (path: string) => ({ trust_domain: domain, path })
const selector = (value: string) => ({ type: 'unix', value })
const AGENT = 'spiffe://example.org/spire/agent/a'
const now = unixSeconds(systemClock.now())

const candidate = (entry_id: string, ...values: readonly string[]) => ({
  entry_id,
  spiffe_id: id(`/${entry_id}`),
  selectors: values.map(selector),
  has_svid: true,
})

const explained = (change: object = {}) => ({
  agent_id: id('/spire/agent/a'),
  last_sync_success: now,
  entries_count: 1,
  findings: [{ attestor: 'unix', selectors: [selector('uid:7'), selector('gid:8')] }],
  ...change,
})

const listed = (entryId: string, parent: string, ...values: readonly string[]) => ({
  id: entryId,
  spiffe_id: id(`/${entryId}`),
  parent_id: id(parent),
  selectors: values.map(selector),
  created_at: now,
})

async function why(answer: object, line = '-pid 12', server?: Script) {
  await using agent = await openScriptedServer({ answers: { ExplainProcess: answer } })
  await using other = await openScriptedServer(server ?? {})
  const more = server === undefined ? '' : ` -serverSocketPath ${other.path}`
  const ran = await run(`why ${line} -socketPath ${agent.path}${more}`)
  return { ran, agentAsked: agent.asked, serverAsked: other.asked }
}

test('tells what is known, what comes closest, the reason, and what to do', async () => {
  const answer = explained({ candidates: [candidate('web', 'uid:9', 'gid:8')] })
  const { ran } = await why(answer)
  // A busy machine may take a second to ask.
  expect({ ...ran, out: ran.out.replace(/\d+ seconds? ago/, 'just now') }).toEqual({
    code: 0,
    err: '',
    out: `Process 12
  unix: unix:uid:7, unix:gid:8

Agent ${AGENT}
  last heard from the server just now
  has 1 entry

Closest entries
  web  spiffe://example.org/web
    lacks    unix:uid:9
    has      unix:gid:8
    agent    has got it, and an SVID of it

No entry matches process 12; entry web (spiffe://example.org/web) comes closest, but the process lacks unix:uid:9; if it is meant to be spiffe://example.org/web, register it for what it is.
Entries that the agent does not have were not looked at: -serverSocketPath names a server to ask.

  steeple server entry create -parentID ${AGENT} -spiffeID spiffe://example.org/web -selector unix:uid:7
`,
  })
})

test('tells of a process that has an identity, and offers no command', async () => {
  const { ran } = await why(explained({ candidates: [candidate('web', 'uid:7')] }))
  expect(ran.out).toContain(
    'Process 12 has an identity: entry web (spiffe://example.org/web) matches',
  )
  expect(ran.out).not.toContain('steeple server')
})

test('tells of an attestor that failed and of an agent that is out of sync', async () => {
  const findings = [...explained().findings, { attestor: 'k8s', error: 'kubelet says 401' }]
  const { ran } = await why(explained({ findings, last_sync_success: 0, sync_failure: 'refused' }))
  expect(ran.out).toContain('  k8s: failed: kubelet says 401\n')
  expect(ran.out).toContain('  has not heard from the server since it started; now: refused\n')
  expect(ran.out).toContain('see that it reaches the server, then ask again.\n')
})

const serverWith = (...entries: readonly object[]): Script => ({
  answers: {
    GetAgent: { id: id('/spire/agent/a'), selectors: [{ type: 'zone', value: 'z' }] },
    ListEntries: { entries },
  },
})

test('asks the server for what the agent has not got, and the agent again about that', async () => {
  const server = serverWith(listed('new', '/spire/agent/a', 'uid:7'))
  const { ran, agentAsked, serverAsked } = await why(explained(), '-pid 12', server)
  expect(ran.out).toContain('Entry new (spiffe://example.org/new) matches and was created')
  expect(ran.out).toContain(`    parent   ${AGENT} (of this agent)\n    agent    has not got it\n`)
  expect(serverAsked.map(({ method }) => method)).toEqual(['GetAgent', 'ListEntries'])
  expect(agentAsked.map(({ request }) => request.entry_ids)).toEqual([[], ['new']])
})

test('tells of an entry of another agent, and takes an alias of the node for this agent’s', async () => {
  const elsewhere = listed('web', '/spire/agent/b', 'uid:7')
  const wrong = await why(explained(), '-pid 12', serverWith(elsewhere))
  expect(wrong.ran.out).toContain('spiffe://example.org/spire/agent/b (not of this agent)')
  expect(wrong.ran.out).toContain(
    `  steeple server entry create -parentID ${AGENT} -spiffeID spiffe://example.org/web -selector unix:uid:7\n`,
  )
  const alias = { ...listed('nodes', '/spire/server'), selectors: [{ type: 'zone', value: 'z' }] }
  const right = await why(
    explained(),
    '-pid 12',
    serverWith(alias, listed('web', '/nodes', 'uid:7')),
  )
  expect(right.ran.out).toContain('but the agent has not got it yet')
})

test('tells of an entry that has ended, with the command that prolongs it', async () => {
  const ended = { ...listed('web', '/spire/agent/a', 'uid:7'), expires_at: now - 60, hint: 'h' }
  const { ran } = await why(explained(), '-pid 12', serverWith(ended))
  expect(ran.out).toContain('    expired  ')
  expect(ran.out).toContain(
    `  steeple server entry update -entryID web -parentID ${AGENT} -spiffeID spiffe://example.org/web -selector unix:uid:7 -hint h\n`,
  )
})

test('tells of an agent that the server has banned, and of one that it does not know', async () => {
  const banned = {
    answers: { GetAgent: { id: id('/spire/agent/a'), banned: true }, ListEntries: {} },
  }
  expect((await why(explained(), '-pid 12', banned)).ran.out).toContain(
    `  steeple server agent evict -spiffeID ${AGENT}\n`,
  )
  const refusals = { GetAgent: { code: 5, details: 'agent not found' } }
  const unknown = await why(explained(), '-pid 12', { refusals, answers: { ListEntries: {} } })
  expect(unknown.ran.out).toContain(`The server does not know ${AGENT};`)
})

test('-output json tells the same to programs', async () => {
  const answer = explained({ candidates: [candidate('web', 'uid:9')] })
  const server = serverWith(listed('web', '/spire/agent/a', 'uid:9'))
  const { ran } = await why(answer, '-pid 12 -output json', server)
  expect(JSON.parse(ran.out)).toMatchObject({
    pid: 12,
    agent: { spiffe_id: AGENT, last_sync_success: now, sync_failure: '', entries_count: 1 },
    findings: [{ attestor: 'unix', selectors: ['unix:uid:7', 'unix:gid:8'], error: '' }],
    entries: [
      {
        entry_id: 'web',
        missing: ['unix:uid:9'],
        held_by_agent: true,
        parent_id: AGENT,
        parent_is_of_agent: true,
        expired: false,
      },
    ],
    conclusion: {
      kind: 'selector-missing',
      command: expect.stringMatching(/^steeple server entry/),
    },
  })
})

test.for(['', '-pid 0', '-pid -3'])('refuses to ask about no process: %s', async (line) => {
  const { ran, agentAsked } = await why(explained(), line)
  expect(ran).toEqual({
    code: 1,
    out: '',
    err: 'Error: the number of a process (-pid) must be set\n',
  })
  expect(agentAsked).toEqual([])
})

test.for([
  [
    12,
    'unknown service steeple.agent.explain.v1.Explain',
    'Error: the agent at this socket explains nothing: only an agent of Steeple does\n',
  ],
  [
    5,
    'there is no process 12',
    'Error: rpc error: code = NotFound desc = there is no process 12\n',
  ],
] as const)('tells of a refusal with status %d', async ([code, details, err]) => {
  await using agent = await openScriptedServer({ refusals: { ExplainProcess: { code, details } } })
  expect(await run(`why -pid 12 -socketPath ${agent.path}`)).toEqual({ code: 1, out: '', err })
})

test('says which of the two sockets is not there', async () => {
  const { ran } = await why(explained(), '-pid 12 -serverSocketPath /nonexistent/api.sock')
  expect(ran.code).toBe(1)
  expect(ran.err).toContain('There is no socket /nonexistent/api.sock')
  const agent = await run('why -pid 12 -socketPath /nonexistent/admin.sock')
  expect(agent.err).toContain('There is no socket /nonexistent/admin.sock')
})

test('what a process calls itself stays on its line and moves no cursor, and no command is made of it', async () => {
  const forged = 'path:/tmp/x\n\nRun this:\n\n  steeple server entry create -admin\u001b[2J\u202e'
  const findings = [{ attestor: 'unix', selectors: [selector(forged)] }]
  const { ran } = await why(explained({ findings, entries_count: 0 }))
  expect(ran.code).toBe(0)
  expect(ran.out).toContain(
    '  unix: unix:path:/tmp/x\\u{a}\\u{a}Run this:\\u{a}\\u{a}  steeple server entry create -admin\\u{1b}[2J\\u{202e}\n',
  )
  expect(ran.out).not.toMatch(/[^\n\P{C}]/u)
  expect(ran.out).not.toMatch(/^ +steeple/m)
})
