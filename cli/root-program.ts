/** The commands that stand right after `steeple`: those that SPIRE does not have. */
import { type Entry, here, type Program } from './program.ts'
import { entryApply, entryDiff } from './server-program.ts'

const commands: Readonly<Record<string, Entry>> = {
  dev: here(
    'Server, agent and Workload API in one process, on a temporary directory',
    async () => (await import('./dev/dev.ts')).dev,
  ),
  why: here(
    'Say why a process has no identity, and which command would give it one',
    async () => (await import('./why/why.ts')).why,
  ),
  'authz explain': here(
    'Say whether a request would pass, and which policy, rule and clause decides',
    async () => (await import('./authz/explain.ts')).explain,
  ),
  'authz test': here(
    'Run a file of decision vectors: policies, requests, and what must come of them',
    async () => (await import('./authz/test.ts')).test,
  ),
  analyze: here(
    'Find what in policies looks right and matches nothing, or leaves a hole',
    async () => (await import('./analyze/analyze.ts')).analyze,
  ),
  'mtls report': here(
    'Say who still calls workloads in plaintext, and what STRICT would break',
    async () => (await import('./mtls/report.ts')).report,
  ),
  'mtls kill-switch on': here(
    'Let proxies take plaintext and everybody, for a stated time and reason',
    async () => (await import('./mtls/kill-switch.ts')).killSwitchOn,
  ),
  'mtls kill-switch off': here(
    'Put the policies of proxies in force again at once',
    async () => (await import('./mtls/kill-switch.ts')).killSwitchOff,
  ),
  'mtls kill-switch status': here(
    'Say of proxies whether their policies are in force',
    async () => (await import('./mtls/kill-switch.ts')).killSwitchStatus,
  ),
  'entry diff': entryDiff,
  'entry apply': entryApply,
  'authority rotate x509': here(
    'Replace the X.509 authority step by step, while nobody is cut off',
    async () => (await import('./authority/rotate.ts')).rotateX509,
  ),
  'authority rotate jwt': here(
    'Replace the JWT authority step by step, while nobody is cut off',
    async () => (await import('./authority/rotate.ts')).rotateJwt,
  ),
  'servers list': here(
    'List the servers of the trust domain, and which authorities they have',
    async () => (await import('./servers/list.ts')).listServers,
  ),
  'servers forget': here(
    'Forget a server that is gone for good, once its authorities are out of the bundle',
    async () => (await import('./servers/forget.ts')).forgetServer,
  ),
  'bundle doctor': here(
    'Tell when authorities, bundles and SVIDs end, and what breaks first',
    async () => (await import('./bundle-doctor/doctor.ts')).doctor,
  ),
  'k8s doctor': here(
    'Say whether Steeple is healthy in a cluster, and what to do if it is not',
    async () => (await import('./k8s/doctor.ts')).doctor,
  ),
  completion: here(
    'Print what makes a shell complete commands and flags',
    async () => (await import('./completion/completion.ts')).completion,
  ),
}

export const rootProgram: Program = {
  name: '',
  upstream: undefined,
  summary: 'SPIFFE workload identity: give every workload an identity that it can prove',
  errorPrefix: 'Error: ',
  commands: new Map(Object.entries(commands)),
  headings: new Map(),
}
