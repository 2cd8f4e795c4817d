package org.sabir;

import java.io.Serializable;

/** Base of RemoteFunction0 to 11 and RemoteAction0 to 11: method references and lambdas that run elsewhere. */
public interface RemoteCode extends Serializable {}
