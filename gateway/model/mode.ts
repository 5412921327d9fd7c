// 平战: the two profiles of the same settings.

export const modes = ['peacetime', 'emergency'] as const

/** 平 `peacetime` or 战 `emergency`. */
export type Mode = (typeof modes)[number]
