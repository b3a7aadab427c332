/**
 * What a story of the cluster script is: a file in `stories/` that exports one, and is run against a whole real
 * Kubernetes. The order is that of the file names. A story leaves nothing behind that it did not hand to its context.
 */
import type { Result } from '../processes/process.ts'

export interface Story {
  /** One sentence that a stranger understands; printed with its outcome. */
  readonly title: string
  /**
   * `chart`: our chart is installed and ready when it runs, with the image built from the Dockerfile. `image`: the image
   * is in the cluster, nothing of ours runs. `cluster`: a bare cluster is enough.
   */
  readonly needs: 'chart' | 'image' | 'cluster'
  /** Rejects with what went wrong. @returns figures to print behind the title, or nothing */
  run(context: StoryContext): Promise<string | undefined>
}

export interface StoryContext {
  readonly cluster: RealCluster
  /** Of Steeple itself: its ENTRYPOINT is the `steeple` command; /usr/local/bin/node and the SDK in /opt/steeple/dist/workload are in it. */
  readonly image: string
  readonly chart: Chart
  /** Runs kubectl as the cluster's administrator; `input` is its standard input, e.g. for `apply -f -`. */
  kubectl(args: readonly string[], input?: string): Promise<Result>
  /** As `kubectl`; rejects with what it printed when it fails. @returns standard output */
  mustKubectl(args: readonly string[], input?: string): Promise<string>
  /** Applies objects; they are not deleted at the end unless they are in a namespace of `namespace()`. */
  apply(...objects: readonly object[]): Promise<void>
  /** Makes a namespace with a name of its own, which is deleted after the story. */
  namespace(name: string, labels?: Readonly<Record<string, string>>): Promise<string>
  /** Ends the story as skipped, loudly. */
  skip(reason: string): never
  /** Called after the story, however it ended, the last one first. */
  afterwards(cleanup: () => Promise<unknown>): void
  /** Asks again until there is something; errors count as "not yet". Rejects after the time, with the last error. */
  until<T>(
    what: string,
    attempt: () => Promise<T | undefined | false>,
    timeoutMs?: number,
  ): Promise<T>
}

export interface RealCluster {
  /** The folder of the cluster script, with `containerd.sock`, the logs and the CA. */
  readonly dir: string
  readonly kubeconfig: string
  /** Whether nobody else uses it: only then may a story stop parts of it. */
  readonly isOwn: boolean
}

/** The installed chart; its fields are set also for stories that do not need it. */
export interface Chart {
  readonly release: string
  /** Namespace of the server and the agents. */
  readonly namespace: string
  readonly trustDomain: string
  /** Name of the cluster as in agents' SPIFFE IDs. */
  readonly clusterName: string
  /** Class of ClusterSPIFFEID objects that this installation minds: set it in `spec.className`. */
  readonly className: string
  /** Directory of a node with the Workload API socket, and the socket's file name in it. */
  readonly socketDir: string
  readonly socketName: string
}
