package org.sabir;

/**
 * User code of a task or an actor's method threw, in whatever language. The cause is the exception itself if it was
 * Java's and could be read here, else what the remote error was caused by.
 */
public class TaskException extends SabirException {
  private static final long serialVersionUID = 1L;

  private final String remoteMessage;
  private final String remoteType;
  private final String remoteStack;
  private final Language language;

  public TaskException(String message, Language language, String type, String stack, Throwable cause) {
    super(ErrorKind.TASK_FAILED, withStack(message, stack), cause);
    this.remoteMessage = message;
    this.language = language;
    this.remoteType = type;
    this.remoteStack = stack;
  }

  private static String withStack(String message, String stack) {
    return stack.isEmpty() ? message : message + "\n\nRemote stack:\n" + stack.stripTrailing();
  }

  /** The message without the remote stack. */
  public String remoteMessage() {
    return remoteMessage;
  }

  /**
   * The type of the exception in its language: {@code java.lang.IllegalStateException}, {@code builtins.ValueError}.
   */
  public String remoteType() {
    return remoteType;
  }

  /** The stack as its language prints it, with its causes. */
  public String remoteStack() {
    return remoteStack;
  }

  /** The language in which it was thrown. */
  public Language language() {
    return language;
  }
}
