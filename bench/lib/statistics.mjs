export function median(numbers) {
  return quantile(numbers, 0.5);
}

/** The value below which the given share lies, by the nearest rank; the middle of two for a median of an even number. */
export function quantile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  if (share === 0.5 && sorted.length % 2 === 0) {
    return (sorted[sorted.length / 2 - 1] + sorted[sorted.length / 2]) / 2;
  }
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
