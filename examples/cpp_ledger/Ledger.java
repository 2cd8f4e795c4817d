package bank;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Map;

/** An actor for ledger.cc: accounts in exact decimal numbers, which C++ has no type for. */
public final class Ledger {
  private final Map<String, BigDecimal> balances = new LinkedHashMap<>();

  /** Several may move money at once: an actor runs one call after the other. */
  public void transfer(String from, String to, String amount) {
    BigDecimal moved = new BigDecimal(amount);
    BigDecimal left = balance(from).subtract(moved);
    if (left.signum() < 0) {
      throw new IllegalStateException(from + " has " + balance(from) + " only, not " + amount);
    }
    balances.put(from, left);
    balances.merge(to, moved, BigDecimal::add);
  }

  public void deposit(String account, String amount) {
    balances.merge(account, new BigDecimal(amount), BigDecimal::add);
  }

  /** All balances, as text: no digit is lost on the way. */
  public Map<String, String> balances() {
    Map<String, String> texts = new LinkedHashMap<>();
    balances.forEach((account, amount) -> texts.put(account, amount.toPlainString()));
    return texts;
  }

  private BigDecimal balance(String account) {
    return balances.getOrDefault(account, BigDecimal.ZERO);
  }
}
