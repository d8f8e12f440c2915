// A world in which the Job controller runs and the test plays kubelet.
import type { Draft } from '../../api/kube-object.ts'
import { jobs, pods } from '../../api/resources.ts'
import { formatTime } from '../../api/time.ts'
import type { Job, JobSpec } from '../../api/types/batch-v1.ts'
import type { Pod, PodCondition } from '../../api/types/core-v1.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { JobController } from './job-controller.ts'

const NAMESPACE = 'default'

export class JobLab {
  readonly world: ControlWorld

  private constructor(world: ControlWorld) {
    this.world = world
  }

  static async create({ running = true } = {}): Promise<JobLab> {
    const lab = new JobLab(await ControlWorld.create())
    if (running) lab.run()
    return lab
  }

  /** Returns how to stop it. */
  run(): () => Promise<void> {
    const { client, clock, log } = this.world
    return this.world.start(signal => new JobController({ client, clock, log }).run(signal))
  }

  async submit(spec: Partial<JobSpec> = {}, name = 'task'): Promise<Job> {
    const template = {
      spec: { restartPolicy: 'Never' as const, containers: [{ name: 'main', image: 'busybox' }] },
    }
    const job = await this.world.client.create(jobs, {
      metadata: { name, namespace: NAMESPACE },
      spec: { template, ...spec },
    } as unknown as Draft<Job>)
    await this.world.settle()
    return job
  }

  job(name = 'task'): Promise<Job> {
    return this.world.client.get(jobs, { name, namespace: NAMESPACE })
  }

  async change(change: (spec: JobSpec) => Partial<JobSpec>, name = 'task'): Promise<void> {
    const job = await this.job(name)
    await this.world.client.update(jobs, { ...job, spec: { ...job.spec, ...change(job.spec) } })
    await this.world.settle()
  }

  /** Those that have not ended and are not going, by name. */
  async active(): Promise<Pod[]> {
    const { items } = await this.world.client.list(pods)
    return items.filter(
      ({ metadata, status }) =>
        !metadata.deletionTimestamp && status.phase !== 'Succeeded' && status.phase !== 'Failed',
    )
  }

  async all(): Promise<Pod[]> {
    return (await this.world.client.list(pods)).items
  }

  async end(
    { metadata: { name } }: Pod,
    phase: 'Succeeded' | 'Failed',
    { exitCode = 1, conditions = [] }: { exitCode?: number; conditions?: PodCondition[] } = {},
  ): Promise<void> {
    const { client, clock } = this.world
    const pod = await client.get(pods, { name, namespace: NAMESPACE })
    const finishedAt = formatTime(clock.now())
    const terminated = { exitCode: phase === 'Succeeded' ? 0 : exitCode, finishedAt, startedAt: finishedAt }
    const main = {
      name: 'main',
      image: 'busybox',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { terminated },
    }
    const status = { ...pod.status, phase, conditions, containerStatuses: [main] }
    await client.update(pods, { ...pod, status } as Pod, { subresource: 'status' })
    await this.world.settle()
  }

  /** Ends every active Pod, again and again, until none comes. */
  async endAll(phase: 'Succeeded' | 'Failed'): Promise<void> {
    for (const pod of await this.active()) await this.end(pod, phase)
  }

  /** 'Complete', 'Failed: BackoffLimitExceeded', … of the true ones, in their order. */
  async conditions(name = 'task'): Promise<string[]> {
    const { status } = await this.job(name)
    return (status.conditions ?? [])
      .filter(condition => condition.status === 'True')
      .map(({ type, reason }) => `${type}: ${reason}`)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world[Symbol.asyncDispose]()
  }
}
