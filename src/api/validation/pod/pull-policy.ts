/** Of images, in containers and in volumes. */
export const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
