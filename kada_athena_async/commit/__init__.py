"""From finished parts to published extracts, all of them or none, and the HWM behind them."""
