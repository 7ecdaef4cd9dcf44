// Numbers in words; the same rules as the terminal's.

const NONE = "–";
const count = (value) => (value === null || value === undefined ? NONE : Math.round(value).toLocaleString("en-US"));
const plural = (value, noun, many) => `${count(value)} ${value === 1 ? noun : many || `${noun}s`}`;

const size = (bytes) => {
  if (bytes === null || bytes === undefined) return NONE;
  let amount = bytes;
  for (const unit of ["B", "KB", "MB", "GB", "TB", "PB"]) {
    if (amount < 999.5 || unit === "PB") {
      if (unit === "B") return `${amount.toFixed(0)} B`;
      return `${amount < 9.995 ? amount.toFixed(2) : amount < 99.95 ? amount.toFixed(1) : count(amount)} ${unit}`;
    }
    amount /= 1024;
  }
  return NONE;
};

const money = (dollars) => {
  if (dollars === null || dollars === undefined) return NONE;
  if (dollars > 0 && dollars < 0.01) return "< $0.01";
  return `$${dollars.toLocaleString("en-US", dollars < 100
    ? { minimumFractionDigits: 2, maximumFractionDigits: 2 } : { maximumFractionDigits: 0 })}`;
};

const span = (ms) => {
  if (ms === null || ms === undefined) return NONE;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  const seconds = ms / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.round(seconds) % 60).padStart(2, "0")} s`;
  return `${count(Math.floor(minutes / 60))} h ${String(minutes % 60).padStart(2, "0")} min`;
};

const share = (part, whole) => {
  if (!whole) return "0 %";
  const percent = (100 * part) / whole;
  if (percent > 0 && percent < 0.1) return "< 0.1 %";
  if (percent > 98.95 && percent < 100) return `${Math.min(percent, 99.9).toFixed(1)} %`;
  return percent > 0 && percent < 9.95 ? `${percent.toFixed(1)} %` : `${percent.toFixed(0)} %`;
};
