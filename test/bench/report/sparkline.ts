// A line of bars in text.

const bars = '▁▂▃▄▅▆▇█'

/** @param full What the highest bar stands for. Nothing at all is a blank. */
export const sparkline = (values: readonly number[], full: number): string =>
  values
    .map((value) => {
      const step = Math.min(bars.length, Math.ceil((value / full) * bars.length - 0.5))
      return value === 0 ? ' ' : bars.charAt(Math.max(0, step - 1))
    })
    .join('')
